import { describe, expect, it } from 'vitest';
import { createPrivacy } from '../../src/privacy/index.js';

const privacy = createPrivacy({ urlParameters: ['customer'] });

describe('redactText', () => {
  it.each([
    ['password=hunter2 rest', 'hunter2'],
    ['{"apiKey":"abcdef123"}', 'abcdef123'],
    ["token: 'zzz-secret'", 'zzz-secret'],
    ['Authorization: Bearer abc.def.ghi', 'abc.def.ghi'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl back', 'eyJzdWIiOiIxIn0'],
    ['paid with 4111 1111 1111 1111 today', '1111 1111'],
    ['paid with 4111111111111111', '4111111111111111'],
    ['see https://u:pw@host/x?access_token=abc#id_token=def', 'abc'],
    ['see https://u:pw@host/x?access_token=abc#id_token=def', 'def'],
    ['see https://u:pw@host/x', 'u:pw'],
    ['failed to load <img> data:image/gif;base64,SECRETimage', 'SECRETimage'],
    ['key sk_live_abcdefghijklmnop', 'sk_live_abcdefghijklmnop'],
    ['user_session_id=77aa88', '77aa88'],
    ['Error: token: abc-zz', 'abc-zz'],
    ['Error: secret=abc-zz card', 'abc-zz'],
    ['password: "two words" x', 'two words'],
  ])('takes the secret out of %s', (text, secret) => {
    expect(privacy.redactText(text)).not.toContain(secret);
  });

  it.each([
    'status code: 502, state: open',
    'TypeError: Cannot read properties of undefined (reading "map")',
    'Order 1234567890123 shipped at 12:30',
    'author: Jane, authority: high',
    'took 1,234.5 ms = fast',
    'no data: the list is empty',
  ])('leaves %s alone', (text) => {
    expect(privacy.redactText(text)).toBe(text);
  });

  it('lets the page add a rule, and masks when that rule fails', () => {
    expect(createPrivacy({ redact: (text) => text.replace('Ada', '…') }).redactText('Ada')).toBe('…');
    const broken = createPrivacy({
      redact: () => {
        throw new Error('rule');
      },
    });
    expect(broken.redactText('Ada')).toBe('******');
  });
});

describe('redactUrl', () => {
  it.each([
    ['https://a.example/p?token=abc&page=2', 'https://a.example/p?token=******&page=2'],
    ['https://a.example/p?customer=ada', 'https://a.example/p?customer=******'],
    ['/callback?code=abc&state=xyz', '/callback?code=******&state=******'],
    ['https://a.example/#access_token=abc&x=1', 'https://a.example/#access_token=******&x=1'],
    ['https://a.example/#/reset?token=abc', 'https://a.example/#/reset?token=******'],
    ['/next?page=2#9f3cSecretFragment', '/next?page=2#******'],
    ['/next#SECRETfragment9f3c', '/next#******'],
    ['/p#section-2', '/p#section-2'],
    ['/p#how_it-works', '/p#how_it-works'],
    ['/p#', '/p#'],
    ['/#/orders/12', '/#/orders/12'],
    ['/#!/pets/get_pets', '/#!/pets/get_pets'],
    ['/#/reset/9f3cSecret/done', '/#/reset/******/done'],
    ['/#/users/ada@example.com', '/#/users/******'],
    ['/#/invite/0f8fad5b-d9cb-469f-a165-70867728950e', '/#/invite/******'],
    ['/#/list?sort=price&filter=Ada%20Lovelace&page=2', '/#/list?sort=price&filter=******&page=2'],
    ['/#?token=abc', '/#?token=******'],
    ['/p#:~:text=Ada%20Lovelace', '/p#******'],
    ['https://user:pass@a.example/', 'https://a.example/'],
    ['https://a.example/?q=4111111111111111', 'https://a.example/?q=******'],
    ['https://a.example/v/eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2ln', 'https://a.example/v/******'],
    ['data:text/plain,secret', 'data:text/plain'],
    ['blob:https://a.example/0011', 'blob:'],
    ['javascript:alert(secret)', 'javascript:'],
    ['mailto:ada@example.com', 'mailto:'],
    [
      'https://a.example/products/42?page=2&sort=price#reviews',
      'https://a.example/products/42?page=2&sort=price#reviews',
    ],
    ['', ''],
  ])('%s', (url, expected) => {
    expect(privacy.redactUrl(url)).toBe(expected);
  });
});

describe('redactHeaders', () => {
  it('removes credentials and lowers names', () => {
    const kept = privacy.redactHeaders([
      ['Authorization', 'Bearer x'],
      ['Cookie', 'a=b'],
      ['Set-Cookie', 'a=b'],
      ['X-API-Key', 'k'],
      ['X-Csrf-Token', 't'],
      ['Content-Type', 'application/json'],
    ]);
    expect(kept).toEqual({ 'content-type': 'application/json' });
  });
});

describe('elements', () => {
  const make = (html: string): Element => {
    document.body.innerHTML = html;
    return document.querySelector('#x') as Element;
  };

  it.each([
    ['<input id="x">', true],
    ['<input id="x" type="checkbox">', true],
    ['<input id="x" type="hidden" data-playhead="allow">', true],
    ['<input id="x" type="submit" value="Buy">', false],
    ['<select><option id="x">Red</option></select>', true],
    ['<textarea id="x"></textarea>', true],
    ['<div contenteditable><b id="x">text</b></div>', true],
    ['<p id="x">text</p>', false],
    ['<div data-playhead="mask"><p id="x">text</p></div>', true],
    ['<div data-playhead="mask"><div data-playhead="allow"><p id="x">text</p></div></div>', false],
    ['<div data-playhead="allow"><input id="x" name="city"></div>', false],
    ['<div data-playhead="allow"><input id="x" type="password"></div>', true],
    ['<div data-playhead="allow"><input id="x" autocomplete="cc-number"></div>', true],
    ['<div data-playhead="allow"><input id="x" name="cardNumber"></div>', true],
    ['<div data-playhead="allow"><div data-playhead="mask"><input id="x" name="city"></div></div>', true],
  ])('%s masked: %s', (html, masked) => {
    expect(privacy.isMasked(make(html))).toBe(masked);
  });

  it('remembers that a field was a password', () => {
    const field = make('<input id="x" type="password" data-playhead="allow" name="q">');
    expect(privacy.isMasked(field)).toBe(true);
    field.setAttribute('type', 'text');
    expect(privacy.isMasked(field)).toBe(true);
  });

  it('masks everything when the page asks for it', () => {
    expect(createPrivacy({ mask: 'all' }).isMasked(make('<p id="x">text</p>'))).toBe(true);
  });

  it('tells blocked and ignored from an ancestor', () => {
    expect(privacy.isBlocked(make('<div data-playhead="block"><p id="x"></p></div>'))).toBe(true);
    expect(privacy.isIgnored(make('<div data-playhead="ignore"><p id="x"></p></div>'))).toBe(true);
    expect(createPrivacy({ blockSelectors: ['.ads'] }).isBlocked(make('<div class="ads"><p id="x"></p></div>'))).toBe(
      true,
    );
  });

  it('gives the text of a button without its masked parts', () => {
    expect(privacy.textOf(make('<button id="x">Pay <b data-playhead="mask">42 €</b></button>'))).toBe('Pay');
    expect(privacy.textOf(make('<label id="x">Colour <select><option>red-secret</option></select></label>'))).toBe(
      'Colour',
    );
    expect(privacy.textOf(make('<input id="x" value="typed">'))).toBeUndefined();
  });

  it('writes readable selectors without generated or secret parts', () => {
    const element = make(
      '<main><form id="checkout"><button class="primary css-1a2b3c4d btn" id="x" name="s3cret"></button></form></main>',
    );
    element.removeAttribute('id');
    expect(privacy.selectorOf(element)).toBe('form#checkout > button.primary.btn');
  });
});
