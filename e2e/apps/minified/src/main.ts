import { ShoppingCart } from './cart';

document.querySelector('#pay')?.addEventListener('click', () => {
  const numbers = new ShoppingCart([{ receipt: { number: '1' } }, {}]).checkOut();
  document.title = numbers.join(', ');
});
