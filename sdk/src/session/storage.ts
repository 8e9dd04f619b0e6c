/** One small value that outlives the page. */
export interface Slot {
  read(): string | undefined;
  write(value: string): void;
  clear(): void;
}

/** localStorage or sessionStorage, or undefined where the browser refuses it. */
export function storageOf(which: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    const storage = window[which];
    const probe = 'playhead:probe';
    storage.setItem(probe, '1');
    storage.removeItem(probe);
    return storage;
  } catch {
    return undefined;
  }
}

export function storageSlot(storage: Storage, name: string): Slot {
  return {
    read() {
      try {
        return storage.getItem(name) ?? undefined;
      } catch {
        return undefined;
      }
    },
    write(value) {
      try {
        storage.setItem(name, value);
      } catch {
        // Full: the session goes on with what it has in memory.
      }
    },
    clear() {
      try {
        storage.removeItem(name);
      } catch {
        // Refused by now, so there is nothing to clear.
      }
    },
  };
}

function readCookie(name: string): string | undefined {
  for (const pair of document.cookie.split('; ')) {
    if (pair.startsWith(`${name}=`)) return decodeURIComponent(pair.slice(name.length + 1));
  }
  return undefined;
}

function writeCookie(name: string, value: string, domain: string | undefined, maxAgeS: number): void {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const where = domain ? `; Domain=${domain}` : '';
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${maxAgeS}; SameSite=Lax${secure}${where}`;
}

/** The widest parent domain that takes a cookie: the registrable domain, as the browser sees it. */
function widestDomain(): string | undefined {
  const labels = location.hostname.split('.');
  const probe = 'playhead_probe';
  for (let count = 1; count <= labels.length; count++) {
    const domain = labels.slice(-count).join('.');
    writeCookie(probe, '1', domain, 10);
    if (readCookie(probe) === '1') {
      writeCookie(probe, '', domain, 0);
      return domain;
    }
  }
  return undefined;
}

/** A cookie that all subdomains share; undefined where cookies are refused. */
export function cookieSlot(name: string, cookieDomain: string | undefined, maxAgeS: number): Slot | undefined {
  try {
    const domain = cookieDomain ?? widestDomain();
    const safeName = name.replace(/[^\w]/g, '_');
    writeCookie(`${safeName}_probe`, '1', domain, 10);
    if (readCookie(`${safeName}_probe`) !== '1') return undefined;
    writeCookie(`${safeName}_probe`, '', domain, 0);
    return {
      read: () => readCookie(safeName),
      write: (value) => writeCookie(safeName, value, domain, maxAgeS),
      clear: () => writeCookie(safeName, '', domain, 0),
    };
  } catch {
    return undefined;
  }
}
