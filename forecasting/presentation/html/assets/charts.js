// The charts, each a Vega-Lite specification: a width and rows in, a specification out. Colours are names of the style
// sheet, so that dark mode and paper need no other charts. No name that comes from outside stands in a specification.
"use strict";
const ojCharts = (() => {
  const half = 3.5 * 864e5; // of a week, in milliseconds
  const time = (width, format) => ({
    field: "t", type: "temporal", scale: {type: "utc"},
    axis: {title: null, format, labelAngle: 0, grid: false, tickCount: Math.max(2, Math.floor(width / 110)), labelFlush: true, labelOverlap: true},
  });
  const units = (field) => ({field, type: "quantitative", axis: {title: null, format: ",d", tickCount: 4, tickMinStep: 1}, scale: {zero: true}});
  const only = (kind) => [{filter: {field: "kind", equal: kind}}];
  const tooltip = (...pairs) => pairs.map(([field, title]) => ({field, title, type: "nominal"}));
  const line = {type: "line", color: "var(--sold)", strokeWidth: 1.75, clip: true};
  const dot = {type: "point", filled: true, color: "var(--expected)", size: 55, opacity: 1, clip: true};
  const shapes = ["diamond", "square", "triangle-up", "cross"];
  const ring = {type: "point", filled: false, color: "var(--before)", size: 34, strokeWidth: 1.5, opacity: 1, clip: true};
  const bar = (strokeWidth, opacity, color = "var(--expected)") => ({type: "rule", color, strokeWidth, opacity, clip: true});
  // The weeks that are forecast, as a band.
  const ahead = (rows, kind) => {
    const weeks = rows.filter((row) => row.kind === kind).map((row) => row.t);
    return {
      data: {values: [{from: Math.min(...weeks) - half, to: Math.max(...weeks) + half}]}, mark: {type: "rect", color: "var(--future)", clip: true},
    };
  };

  // All series together: sold, expected, and expected before.
  const total = (width, rows) => {
    const x = time(width, "%b %Y");
    const ranges = rows.some((row) => row.lo)
      ? [{transform: only("expected"), mark: bar(7, 0.4), encoding: {x, y: units("lo"), y2: {field: "hi"}}}] : [];
    return {
      width, height: 250, autosize: {type: "fit-x", contains: "padding"}, data: {values: rows},
      layer: [
        {...ahead(rows, "expected"), encoding: {x: {...x, field: "from"}, x2: {field: "to"}}},
        {transform: only("sold"), mark: line, encoding: {x, y: units("units")}},
        ...(rows.some((row) => row.kind === "expected before") ? [{transform: only("expected before"), mark: ring, encoding: {x, y: units("units")}}] : []),
        ...ranges,
        {transform: only("expected"), mark: dot, encoding: {x, y: units("units")}},
        {mark: {type: "rule", strokeWidth: 12, opacity: 0}, encoding: {x, tooltip: tooltip(["label", "week"], ["kind", "what"], ["amount", "amount"], ["range", "four weeks of five"])}},
      ],
    };
  };

  // One product, small.
  const product = (width, rows) => {
    const {axis} = time(width, "%b %y");
    const x = {...time(width, "%b %y"), axis: {...axis, tickCount: 3}};
    const thousands = "datum.value < 1000 ? format(datum.value, '~') : format(datum.value / 1000, '~') + 'k'";
    const y = {...units("units"), axis: {title: null, labelExpr: thousands, tickCount: 2, tickMinStep: 1}};
    return {
      width, height: 86, autosize: {type: "fit-x", contains: "padding"}, data: {values: rows},
      layer: [
        {...ahead(rows, "expected"), encoding: {x: {...x, field: "from"}, x2: {field: "to"}}},
        {transform: only("sold"), mark: {...line, strokeWidth: 1.25}, encoding: {x, y}},
        {transform: only("expected"), mark: {...dot, size: 26}, encoding: {x, y}},
        {mark: {type: "rule", strokeWidth: 5, opacity: 0}, encoding: {x, tooltip: tooltip(["label", "week"], ["amount", "amount"])}},
      ],
    };
  };

  // One series: the weeks of the brush above, all of them below.
  const series = (width, rows, shown, promotions) => {
    const inner = width - 50;
    const x = {...time(width, "%-d %b %y"), scale: {type: "utc", domain: {param: "brush", encoding: "x"}}};
    const chosen = [{filter: {param: "brush"}}];
    const bare = {...x, axis: {...x.axis, labels: false, ticks: false}};
    const places = [...Array(promotions).keys()];
    const marks = (place) => ({
      transform: [...chosen, {calculate: `${place}`, as: "which"}],
      mark: {type: "point", filled: true, shape: shapes[place % 4], color: `var(--promotion-${place % 4})`, size: 40, clip: true},
      encoding: {
        x, y: {field: "which", type: "nominal", axis: null, scale: {domain: places}},
        opacity: {condition: {test: `datum.on[${place}]`, value: 1}, value: 0},
      },
    });
    const earlier = rows.some((row) => row.before !== null) ? [
      {transform: chosen, mark: bar(1.5, 0.7, "var(--before)"), encoding: {x: bare, y: units("beforeLo80"), y2: {field: "beforeHi80"}}},
      {transform: chosen, mark: ring, encoding: {x: bare, y: units("before")}},
    ] : [];
    return {
      spacing: 6,
      vconcat: [
        {
          width: inner, height: 250,
          data: {values: rows},
          layer: [
            {...ahead(rows, "expected"), encoding: {x: {...bare, field: "from"}, x2: {field: "to"}}},
            {transform: chosen, mark: line, encoding: {x: bare, y: units("sold")}},
            {transform: chosen, mark: {type: "point", filled: true, color: "var(--sold)", size: 12, opacity: 1, clip: true}, encoding: {x: bare, y: units("sold")}},
            ...earlier,
            {transform: chosen, mark: bar(2, 0.8), encoding: {x: bare, y: units("lo95"), y2: {field: "hi95"}}},
            {transform: chosen, mark: bar(7, 0.4), encoding: {x: bare, y: units("lo80"), y2: {field: "hi80"}}},
            {transform: chosen, mark: dot, encoding: {x: bare, y: units("expected")}},
            {
              transform: chosen, mark: {type: "rule", strokeWidth: 12, opacity: 0},
              encoding: {x: bare, tooltip: tooltip(["label", "week"], ["soldText", "sold"], ["expectedText", "expected"], ["range80", "80 %"], ["range95", "95 %"], ["priceText", "price"], ["promotion", "promotion"])},
            },
          ],
        },
        ...(promotions ? [{width: inner, height: 13 * promotions, data: {values: rows}, layer: places.map(marks)}] : []),
        {
          width: inner, height: 38, data: {values: rows},
          params: [{name: "brush", value: {x: shown}, select: {type: "interval", encodings: ["x"], mark: {fill: "var(--before)", fillOpacity: 0.15, stroke: "var(--before)"}}}],
          mark: {...line, strokeWidth: 1},
          encoding: {x: {...time(width, "%b %Y"), scale: {type: "utc"}}, y: {field: "sold", type: "quantitative", axis: null}},
        },
      ],
    };
  };

  const shares = (width, rows, lines, rules) => {
    const every = Math.ceil(rows.length / Math.max(2, Math.floor(width / 110)));
    const axis = {...time(width, "%-d %b %y").axis, values: rows.filter((_, place) => place % every === 0).map(({t}) => {
      const day = new Date(t);
      return {year: day.getUTCFullYear(), month: day.getUTCMonth() + 1, date: day.getUTCDate(), utc: true};
    })};
    const x = {...time(width, "%-d %b %y"), scale: {type: "utc", padding: 10}, axis};
    const y = (field) => ({field, type: "quantitative", axis: {title: null, format: ".0%", tickCount: 4}, scale: {zero: rules.length === 0}});
    return {
      width, height: 160, autosize: {type: "fit-x", contains: "padding"}, data: {values: rows},
      layer: [
        ...rules.map((value) => ({data: {values: [{value}]}, mark: {type: "rule", color: "var(--line)", strokeWidth: 1.5}, encoding: {y: {...y("value")}}})),
        ...lines.map(([field, color, dash]) => ({
          mark: {type: "line", color, strokeWidth: 2, strokeDash: dash, point: {filled: true, color, size: 28}}, encoding: {x, y: y(field)},
        })),
        {mark: {type: "rule", strokeWidth: 12, opacity: 0}, encoding: {x, tooltip: tooltip(["label", "week"], ["wapeText", "error"], ["naiveText", "naive"], ["biasText", "bias"], ["coverage80Text", "in 80 %"], ["coverage95Text", "in 95 %"])}},
      ],
    };
  };
  const accuracy = (width, rows) => shares(width, rows, [["naive", "var(--naive)", [5, 4]], ["wape", "var(--expected)", []]], []);
  const coverage = (width, rows) => shares(width, rows, [["coverage_80", "var(--before)", []], ["coverage_95", "var(--promotion-0)", [5, 4]]], [0.8, 0.95]);

  const look = (font) => ({
    background: null, font, padding: {left: 2, right: 6, top: 6, bottom: 2},
    view: {stroke: null},
    axis: {labelColor: "var(--muted)", gridColor: "var(--line)", domainColor: "var(--line)", tickColor: "var(--line)", labelFontSize: 12, gridWidth: 0.75},
  });
  return {total, product, series, accuracy, coverage, look};
})();
