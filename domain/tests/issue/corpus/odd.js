const told = {};
const tell = (name, error) => {
  told[name] = { type: error.name, message: error.message, stack: error.stack };
};

function runWasm() {
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 7, 1, 3, 114, 117, 110, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
  new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.run();
}

function runFunction() {
  new Function('total', 'return total.missing.price')({});
}

async function loadRow(row) {
  await undefined;
  return row.owner.name;
}

async function loadRows() {
  return await Promise.all([loadRow({})]);
}

async function loadPage() {
  await loadRows();
}

class Shop {
  static open() {
    return new Shop();
  }
  constructor() {
    this.#prepare();
  }
  #prepare() {
    return this.state.ready;
  }
}

async function runOdd() {
  const cases = {
    wasm: runWasm,
    function_constructor: runFunction,
    promise_all: loadPage,
    private_method: () => Shop.open(),
  };
  if (typeof document !== 'undefined') {
    const source = 'export function fail() { return undefined.blobbed; }';
    cases.blob = async function importBlob() {
      (await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))).fail();
    };
    cases.data = async function importData() {
      (await import(`data:text/javascript,${encodeURIComponent(source)}`)).fail();
    };
    cases.dom = function removeStranger() {
      document.body.removeChild(document.createElement('p'));
    };
    cases.selector = function querySelector() {
      document.querySelector('p[');
    };
    cases.missing_module = async function importNothing() {
      await import('/assets/nothing.js');
    };
    cases.aborted = async function abortRequest() {
      await fetch('/', { signal: AbortSignal.abort() });
    };
    cases.invalid_url = function makeUrl() {
      new URL('not a url');
    };
    cases.promise_any = async function anyMirror() {
      await Promise.any([Promise.reject(new Error('mirror 1 is down'))]);
    };
  }
  for (const name of Object.keys(cases)) {
    try {
      await cases[name]();
    } catch (error) {
      tell(name, error);
    }
  }
}

runOdd().then(() => {
  const text = JSON.stringify(told);
  if (typeof document === 'undefined') print(text);
  else fetch('/told' + location.search, { method: 'POST', body: text });
});
