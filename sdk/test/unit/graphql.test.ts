import { describe, expect, it } from 'vitest';
import { operationOf } from '../../src/capture/late/graphql.js';

const URL = 'https://shop.example/graphql';
const of = (body: unknown) => operationOf(URL, JSON.stringify(body));

describe('the operation of a GraphQL request', () => {
  it('is what the request calls it, or else its document', () => {
    expect(of({ operationName: 'Cart', query: 'query Other { a }', variables: { secret: 1 } })).toBe('Cart');
    expect(of({ query: 'mutation PlaceOrder($id: ID!) { a }' })).toBe('PlaceOrder');
    expect(of({ operationName: 'Cart', extensions: { persistedQuery: { sha256Hash: 'x' } } })).toBe('Cart');
    expect(of([{ query: 'query A { a }' }, { query: 'query B @x { a }' }, { query: 'query A { a }' }])).toBe('A+B');
  });

  it('is read from an address', () => {
    const ask = (search: string) => operationOf(`${URL}?${search}`, undefined);
    expect(ask(`operationName=Cart&extensions=${encodeURIComponent('{"persistedQuery":{}}')}`)).toBe('Cart');
    expect(ask(`query=${encodeURIComponent('query Cart { a }')}`)).toBe('Cart');
    expect(ask('query=shoes')).toBeUndefined();
    expect(ask('operationName=Cart')).toBeUndefined();
    expect(ask('extensions=%7B&query=query%20')).toBeUndefined();
  });

  it('is nothing of what is no GraphQL, and never a text', () => {
    expect(of({ query: '{ cart { id } }' })).toBeUndefined();
    expect(of({ query: 'mutation of genes', operationName: 'ana@example.org' })).toBeUndefined();
    expect(of({ query: 'query shoes' })).toBeUndefined();
    expect(of({ operationName: 'Cart' })).toBeUndefined();
    expect(of({ query: `query ${'x'.repeat(200)} { a }` })).toBeUndefined();
    expect(operationOf(URL, '{"query": broken')).toBeUndefined();
    expect(operationOf(URL, `{"query":"query A { a }","pad":"${'x'.repeat(100_000)}"}`)).toBeUndefined();
    expect(operationOf(URL, new Blob(['{"query":"query A { a }"}']))).toBeUndefined();
    expect(of([null, 7, 'query'])).toBeUndefined();
  });
});
