// What the page does: unpacks its data, draws the charts, answers the choices. Names are set as text, never as markup.
"use strict";
const ojParts = {};
function ojPart(number, packed) { ojParts[number]?.resolve(packed); }

(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  // Half to even, as the numbers of the page's text are rounded.
  const fixed = (digits) => new Intl.NumberFormat("en-US", {minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven"});
  const decimals = [0, 1, 2, 3].map(fixed);
  const number = decimals[0];
  const digits = (size) => (data.wholeUnits || size >= 100 || !size ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
  const cents = new Intl.NumberFormat("en-US", {minimumFractionDigits: 2, maximumFractionDigits: 2});
  const money = (price) => (price === null ? "unknown" : data.currency + cents.format(price));
  const amount = (value) => (value === null || value === undefined ? "–" : decimals[digits(Math.abs(value))].format(value));
  const signed = (value) => (value === null ? "–" : `${value < 0 ? "−" : "+"}${amount(Math.abs(value))}`);
  const share = (value) => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
  const range = (lo, hi) => (lo === null || lo === undefined ? "–" : `${amount(lo)}–${amount(hi)}`);
  const dates = new Intl.DateTimeFormat("en-GB", {timeZone: "UTC", day: "numeric", month: "short", year: "numeric"});
  const label = (t) => dates.format(new Date(t));
  const units = (value) => (value === undefined || value < 0 ? null : value / data.scale);
  const hundredth = (value) => (value === undefined || value < 0 ? null : value / 100);
  const isOn = (signs) => data.promotions.map((_, place) => ((signs >> place) & 1) > 0);
  const promotion = (signs) => data.promotions.filter((_, place) => isOn(signs)[place]).join(", ");
  const YEAR = 52 * 7 * 864e5;

  function showError(message) {
    $("error").textContent = message;
    $("error").hidden = false;
  }

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  // Charts: drawn again when their width changes; the last drawing wins.
  const drawn = new Map();
  const look = ojCharts.look(getComputedStyle(document.body).fontFamily);
  async function draw(box, make) {
    const turn = {make, width: box.clientWidth};
    const before = drawn.get(box);
    drawn.set(box, turn);
    if (!turn.width) return;
    const spec = {$schema: "https://vega.github.io/schema/vega-lite/v6.json", ...make(turn.width), config: look};
    const place = document.createElement("div");
    const result = await vegaEmbed(place, spec, {
      ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: {disableDefaultStyle: true},
      loader: {load: () => Promise.reject(new Error("nothing is loaded"))},
    });
    if (drawn.get(box) !== turn) return result.finalize();
    before?.result?.finalize();
    turn.result = result;
    result.view.logLevel(1); // errors only: a zoom onto weeks without a forecast is nothing to warn of
    box.replaceChildren(place);
  }
  let waiting;
  new ResizeObserver(() => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      for (const [box, turn] of drawn) if (box.clientWidth && box.clientWidth !== turn.width) draw(box, turn.make);
    }, 150);
  }).observe(document.body);

  function drawTotals() {
    const since = data.weeks[data.weeks.length - 1] - YEAR;
    const rows = data.total.filter((row) => row.t > since)
      .map((row) => ({...row, label: label(row.t), amount: amount(row.units), range: range(row.lo, row.hi)}));
    draw($("total-chart"), (width) => ojCharts.total(width, rows));
    const products = new Map(data.charts.map((each) => [String(each.place), each.weeks]));
    for (const box of document.querySelectorAll(".chart.product")) {
      const weeks = products.get(box.dataset.product).filter((row) => row.t > since)
        .map((row) => ({...row, label: label(row.t), amount: amount(row.units)}));
      draw(box, (width) => ojCharts.product(width, weeks));
    }
    if (!data.accuracy.length) return;
    const scores = data.accuracy.map((row) => ({
      ...row, label: label(row.t), wapeText: share(row.wape), naiveText: share(row.naive), biasText: share(row.bias),
      coverage80Text: share(row.coverage_80), coverage95Text: share(row.coverage_95),
    }));
    draw($("accuracy-chart"), (width) => ojCharts.accuracy(width, scores));
    draw($("coverage-chart"), (width) => ojCharts.coverage(width, scores));
  }

  // The series: in the page, or in files beside it, of which one is loaded when it is needed.
  const unpacked = new Map();
  function part(which) {
    if (!unpacked.has(which)) {
      const text = data.beside.length ? loaded(which) : Promise.resolve($("part").textContent);
      unpacked.set(which, text.then(unpack));
    }
    return unpacked.get(which);
  }
  function loaded(which) {
    return new Promise((resolve, reject) => {
      ojParts[which] = {resolve};
      const script = document.createElement("script");
      script.src = data.beside[which];
      script.onerror = () => reject(new Error(`The file ${data.beside[which]} is not beside this page: keep its folder with it, or open the report anew.`));
      document.head.append(script);
    });
  }

  const places = new Map(data.store.map((store, place) => [`${store}-${data.product[place]}`, place]));

  function rowsOf(one) {
    return data.weeks.map((t, place) => {
      const ahead = one.expected[data.steps.indexOf(place)] ?? [];
      const earlier = one.before[place - data.since] ?? [];
      const [expected, lo80, hi80, lo95, hi95] = [0, 1, 2, 3, 4].map((which) => units(ahead[which]));
      const [before, beforeLo80, beforeHi80, beforeLo95, beforeHi95] = [0, 1, 2, 3, 4].map((which) => units(earlier[which]));
      const sold = (one.sold[place] ?? null) === null ? null : one.sold[place] / data.unit;
      const signs = one.promoted[place];
      const price = hundredth(one.price[place]);
      return {
        t, label: label(t), kind: expected === null ? "sold" : "expected", sold, expected, lo80, hi80, lo95, hi95, before, beforeLo80, beforeHi80,
        soldText: amount(sold), expectedText: amount(expected ?? before),
        range80: range(lo80 ?? beforeLo80, hi80 ?? beforeHi80), range95: range(lo95 ?? beforeLo95, hi95 ?? beforeHi95),
        priceText: money(price), promotion: promotion(signs) || "none", on: isOn(signs),
      };
    });
  }

  let chosen = 0;
  async function showSeries() {
    const turn = ++chosen;
    const [store, product] = [$("store").value, $("product").value];
    const place = places.get(`${store}-${product}`);
    const names = `${data.products[product] ?? ""} in ${data.storeWord} ${data.stores[store] ?? ""}`;
    const body = $("series-table").tBodies[0];
    if (place === undefined) {
      $("series-sentence").textContent = `${names} is not forecast: it sold nothing there in the last quarter.`;
      $("series-chart").replaceChildren();
      drawn.delete($("series-chart"));
      body.replaceChildren();
      return;
    }
    let block;
    try {
      block = await part(Math.floor(place / data.size));
    } catch (error) {
      return showError(error.message);
    }
    if (turn !== chosen) return;
    const at = place % data.size;
    const rows = rowsOf({
      sold: block.sold[at], price: block.price[at], promoted: block.promoted[at], expected: block.expected[at], before: block.before[at],
    });
    const ahead = rows.filter((row) => row.expected !== null);
    $("series-sentence").textContent = `${names}: ${amount(ahead[0].expected)} ${data.units} are expected in the week of ${ahead[0].label}, `
      + `in four weeks of five ${ahead[0].range80}; price ${ahead[0].priceText}, promotion: ${ahead[0].promotion}.`;
    const span = Number($("span").value);
    const end = data.weeks[data.weeks.length - 1] + 3.5 * 864e5;
    const shown = [span ? Math.max(end - span * 7 * 864e5, data.weeks[0] - 3.5 * 864e5) : data.weeks[0] - 3.5 * 864e5, end];
    await draw($("series-chart"), (width) => ojCharts.series(width, rows, shown, data.promotions.length));
    const listed = [...ahead.reverse(), ...rows.slice(Math.max(data.cutoff - 9, 0), data.cutoff + 1).reverse()];
    body.replaceChildren(...listed.map((row) => line(
      [row.label, row.soldText, row.expectedText, row.range80, row.range95, row.priceText, row.promotion], [1, 2, 3, 4, 5], row.expected !== null ? "ahead" : "")));
  }

  function line(cells, numbers, style = "", sorts = {}) {
    const row = document.createElement("tr");
    if (style) row.className = style;
    cells.forEach((text, which) => {
      const cell = row.insertCell();
      cell.textContent = text;
      if (numbers.includes(which)) cell.className = "number";
      if (which in sorts) cell.dataset.sort = sorts[which];
    });
    return row;
  }

  // The order table: the rows of the choice; Tablesort sorts them.
  let orders, sorter;
  function showOrders() {
    const [store, product, week] = ["order-store", "order-product", "order-week"].map((id) => $(id).value);
    const fallback = new Set(orders.fallback);
    const rows = [];
    let sum = 0;
    for (let place = 0; place < data.store.length; place++) {
      if ((store && String(data.store[place]) !== store) || (product && String(data.product[place]) !== product)) continue;
      const recent = units(orders.recent[place]);
      for (let step = 0; step < data.steps.length; step++) {
        const expected = orders.expected[place][step];
        if ((week && String(step) !== week) || expected === null) continue;
        const change = orders.change[place][step];
        const price = hundredth(orders.price[place][step]);
        const t = data.weeks[data.steps[step]];
        sum += expected;
        rows.push(line(
          [data.stores[data.store[place]], data.products[data.product[place]], label(t), amount(expected),
            amount(units(orders.lo[place][step])), amount(units(orders.hi[place][step])), amount(recent), signed(change),
            money(price), price === null ? "" : promotion(orders.promoted[place][step]), fallback.has(place) ? "fallback" : ""],
          [3, 4, 5, 6, 7, 8], "", {0: data.store[place], 2: t, 3: expected, 7: change ?? 0}));
      }
    }
    $("order-table").tBodies[0].replaceChildren(...rows);
    sorter?.refresh();
    $("orders").classList.toggle("long", rows.length > 200); // too many for paper
    const count = rows.length === 1 ? "1 row" : `${number.format(rows.length)} rows`;
    $("order-sentence").textContent = rows.length ? `${count}, ${amount(sum)} ${data.units} in sum.` : "No series is forecast there.";
  }

  async function begin() {
    drawTotals();
    for (const id of ["store", "product", "span"]) $(id).addEventListener("change", showSeries);
    for (const link of document.querySelectorAll("a[data-store]")) {
      link.addEventListener("click", () => {
        $("store").value = link.dataset.store;
        $("product").value = link.dataset.product;
        showSeries();
      });
    }
    if (data.store.length) [$("store").value, $("product").value] = [data.store[0], data.product[0]];
    const first = document.querySelector("a[data-store]");
    if (first) [$("store").value, $("product").value] = [first.dataset.store, first.dataset.product];
    await showSeries();
    orders = await unpack($("orders-data").textContent);
    if (data.beside.length) $("order-store").value = String(data.store[0]); // all stores at once are many rows
    for (const id of ["order-store", "order-product", "order-week"]) $(id).addEventListener("change", showOrders);
    showOrders();
    for (const table of document.querySelectorAll("table.sortable")) {
      const sorts = new Tablesort(table, {descending: true});
      if (table.id === "order-table") sorter = sorts;
    }
    document.documentElement.dataset.ready = "yes";
  }
  begin().catch((error) => showError(`A part of this page could not be shown: ${error.message}`));
})();
