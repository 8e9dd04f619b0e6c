// A page of the kind that companies have: one enormous table, whose snapshot is about 5 MB.

/** Its HTML; the rows are made by a script, as such pages do. */
export const REPORT_PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Stock report</title><style>
td{border:1px solid #ccc;padding:2px 6px;font:12px sans-serif}.low{color:#b00}</style></head><body>
<h1>Stock</h1><button id="sort">Sort by shelf</button><table><tbody id="rows"></tbody></table><script>
const words = 'alder birch cedar elm fern gorse hazel iris juniper larch maple nettle oak pine rowan sedge thyme willow'.split(' ');
const rows = document.querySelector('#rows');
for (let n = 0; n < 9000; n++) {
  const row = document.createElement('tr');
  row.className = n % 7 ? 'enough' : 'low';
  for (const text of [String(n), words[n % 18] + ' ' + words[(n * 7) % 18], 'shelf ' + (n * 37) % 211, String((n * 7919) % 997)]) {
    const cell = document.createElement('td');
    cell.textContent = text;
    row.append(cell);
  }
  rows.append(row);
}
document.querySelector('#sort').addEventListener('click', () => {
  const some = [...rows.children].slice(0, 400);
  some.sort((a, b) => a.children[2].textContent.localeCompare(b.children[2].textContent)).forEach((row) => rows.prepend(row));
});
document.body.insertAdjacentHTML('beforeend', '<p id="done">All rows are there.</p>');
</script></body></html>`;
