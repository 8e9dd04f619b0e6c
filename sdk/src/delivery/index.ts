import { storageOf } from '../session/storage.js';
import type { Stream } from './batch.js';
import { Compressor } from './compressor.js';
import type { Delivery, DeliveryHost } from './contract.js';
import { Credential } from './credential.js';
import { Leftovers } from './leftovers.js';
import { Outbox } from './outbox.js';
import { Transport } from './transport.js';

/** Puts the delivery together. */
export function createDelivery(host: DeliveryHost, stream: Stream): Delivery {
  const transport = new Transport(host.endpoint, host.fetch);
  const credential = new Credential(host.key, transport, host.now, host.settings);
  const compressor = new Compressor(host.workerBlocked, host.loadDeflate);
  const outbox = new Outbox(
    stream,
    host,
    credential,
    compressor,
    transport,
    new Leftovers(storageOf('sessionStorage')),
  );
  outbox.adopt();
  credential.open(stream);
  return outbox;
}
