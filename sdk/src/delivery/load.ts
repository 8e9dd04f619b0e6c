import type { DeliveryModule } from './contract.js';

/** The delivery's chunk; rejects when the page does not let it in. */
export function loadDelivery(): Promise<DeliveryModule> {
  return import('./index.js');
}
