// The page that the bench drives: a table of a few thousand nodes whose rows are rewritten, moved, added and removed in every frame.

/** Runs in the browser. Resolves once all frames are done and the browser had time to settle. */
export async function work({ frames, changesPerFrame }) {
  const body = document.querySelector('tbody');
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % below;
  };
  const makeRow = (index) => {
    const row = document.createElement('tr');
    row.className = `row kind-${index % 7}`;
    for (let cell = 0; cell < 6; cell++) {
      const item = document.createElement('td');
      item.title = `cell ${cell}`;
      item.append(Object.assign(document.createElement('span'), { textContent: `value ${random(10_000)}` }));
      row.append(item);
    }
    return row;
  };
  for (let frame = 0; frame < frames; frame++) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    for (let change = 0; change < changesPerFrame; change++) {
      const row = body.rows[random(body.rows.length)];
      const kind = change % 5;
      if (kind === 0) row.cells[random(6)].firstChild.firstChild.nodeValue = `price ${random(100_000)}`;
      else if (kind === 1) row.className = `row kind-${random(9)} ${random(2) ? 'up' : 'down'}`;
      else if (kind === 2) row.cells[random(6)].style.width = `${random(90)}px`;
      else if (kind === 3) body.insertBefore(makeRow(random(1_000)), row);
      else row.remove();
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
}

export const html = (
  head,
  rows,
) => `<!doctype html><html><head><title>bench</title><style>table,tbody{display:block}tr{display:flex;contain:strict;height:18px;width:600px}</style>${head}</head><body>
<form><input name="a" value="x"><select><option>one</option><option>two</option></select></form>
<table><tbody>${Array.from(
  { length: rows },
  (_, index) =>
    `<tr class="row kind-${index % 7}">${Array.from({ length: 6 }, (_, cell) => `<td title="cell ${cell}"><span>value ${index * cell}</span></td>`).join('')}</tr>`,
).join('')}</tbody></table></body></html>`;
