/** Cuts in the middle, so that the end of a path stays readable: `/api/orders…/8812/pay`. */
export function cutMiddle(text: string, length: number): string {
  if (text.length <= length || length < 5) return text;
  const tail = Math.ceil((length - 1) * 0.65);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(-tail)}`;
}

/** Path and query of a URL; the text itself when it is none. */
export function pathOf(url: string): string {
  try {
    const parsed = new URL(url);
    return `${parsed.pathname}${parsed.search}` || '/';
  } catch {
    return url;
  }
}

const REGIONS = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

/** `PT` → `Portugal`. */
export function countryName(code: string): string {
  try {
    return REGIONS.of(code.toUpperCase()) ?? code;
  } catch {
    return code;
  }
}

/** `Chrome 131`, `macOS`, or null when neither part is known. The version is cut to its first number. */
export function productName(product: { name: string | null; version: string | null }): string | null {
  if (!product.name) return null;
  const major = product.version?.split('.')[0];
  return major ? `${product.name} ${major}` : product.name;
}
