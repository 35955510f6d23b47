"use strict";
// Draws the report from the numbers in #data. Text is set as text alone, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const groups = data.groups, all = groups.map((_, at) => at);
let chosen = all, inChosen = new Set(all), metric = "kept", scale = "asinh";

function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "style") Object.assign(node.style, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const whole = (n) => Math.round(n).toLocaleString("en-US");
function short(n) {
  for (const unit of ["", "k", "M", "B"]) {
    if (Math.abs(n) < 1000 || unit === "B") return unit || n % 1 ? `${+n.toPrecision(3)}${unit}` : `${n}`;
    n /= 1000;
  }
}
function size(n) {
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (n < 1000 || unit === "TB") return `${unit === "B" ? n : n.toFixed(1)} ${unit}`;
    n /= 1000;
  }
}
const percent = (part, of) => (of ? `${(100 * part / of).toFixed(part / of < 0.1 ? 1 : 0)}%` : "-");
const number = (x) => String(+(+x).toPrecision(4));
const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
const over = (list) => sum(chosen.map((group) => list[group]));
function sparse(list) {
  let total = 0;
  for (let at = 0; at < list.length; at += 2) if (inChosen.has(list[at])) total += list[at + 1];
  return total;
}
const css = (name) => {
  const probe = el("i", { style: { color: `var(${name})`, display: "none" } });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
function table(heads, rows, texts = 1) {
  const row = (cells, tag) => el("tr", {}, ...cells.map((cell, at) =>
    cell instanceof Node ? cell : el(tag, { text: cell, class: at < texts ? "text" : "" })));
  const body = el("table", {}, el("thead", {}, row(heads, "th")), el("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
  return el("div", { class: "scroll", tabindex: "0" }, body);
}
const none = (text) => el("p", { class: "none", text });
const heat = (share, color = "--heat") => share > 0 ? `rgb(from ${css(color)} r g b / ${(0.08 + 0.72 * Math.min(1, share)).toFixed(2)})` : "";

const sections = [];
function section(id, title, about, draw, filtered = true) {
  const body = el("div");
  const node = el("section", { id }, el("h2", { text: title }), el("p", { class: "dim", text: about }), body);
  sections.push({ id, title, node, filtered, draw: () => body.replaceChildren(...[draw()].flat().filter(Boolean)) });
}

function headline() {
  const o = data.outcomes, read = over(o.read), kept = over(o.train) + over(o.valid);
  const bytes = over(o.bytes), tokens = over(o.tokens);
  const cards = [
    [whole(read), "documents read"],
    [whole(kept), `kept, ${percent(kept, read)}`],
    [size(bytes), `of text kept, ${percent(bytes, over(o.text_bytes))}`],
    [short(tokens), "tokens"],
    [tokens ? (bytes / tokens).toFixed(2) : "-", "bytes a token"],
    [percent(over(o.valid), kept), `in validation (${percent(data.validation, 1)} asked)`],
    [String(new Set(chosen.map((g) => groups[g][1])).size), "languages"],
    [String(new Set(chosen.map((g) => groups[g][0])).size), "sources"],
  ];
  return el("div", { class: "cards" }, ...cards.map(([value, label]) => el("div", {}, el("b", { text: value }), el("span", { text: label }))));
}

const OUTCOMES = [["kept", "kept for training"], ["valid", "for validation"], ["duplicate", "duplicates"], ["rules", "failed rules"], ["gated", "stopped by gates"]];
function funnel() {
  const sources = [...new Set(chosen.map((g) => groups[g][0]))];
  const rows = [];
  for (const source of sources) {
    const at = (name) => sum(chosen.filter((g) => groups[g][0] === source).map((g) => data.outcomes[name][g]));
    const read = at("read");
    const parts = { kept: at("train"), valid: at("valid"), duplicate: at("duplicate"), rules: at("rules"), gated: at("gated") };
    const bar = el("div", { class: "bar", role: "img", "aria-label": `${source}: ${whole(parts.kept + parts.valid)} of ${whole(read)} kept` });
    for (const [name, label] of OUTCOMES) {
      if (parts[name]) bar.append(el("i", { class: name, title: `${label}: ${whole(parts[name])} (${percent(parts[name], read)})`, style: { width: `${100 * parts[name] / read}%` } }));
    }
    const kept = parts.kept + parts.valid;
    rows.push(el("b", { text: source }), bar, el("span", { text: `${whole(read)} read → ${whole(at("passed"))} texts → ${whole(at("passed") - parts.rules)} past rules → ${whole(kept)} kept → ${short(at("tokens"))} tokens` }));
  }
  const legend = el("div", { class: "legend" }, ...OUTCOMES.map(([name, label]) => el("span", {}, el("i", { class: name }), label)));
  const gates = data.gates.map((gate) => [gate.name, sparse(gate.gated)]).filter(([, n]) => n).sort((a, b) => b[1] - a[1]);
  return [legend, el("div", { class: "funnel" }, ...rows), gates.length ? el("p") : null,
    gates.length ? table(["gate", "records"], gates.map(([name, n]) => [name, whole(n)])) : null];
}

const METRICS = {
  kept: ["documents kept", (o, g) => o.train[g] + o.valid[g], short],
  share: ["share of texts kept", (o, g) => o.passed[g] ? (o.train[g] + o.valid[g]) / o.passed[g] : null, (x) => percent(x, 1)],
  tokens: ["tokens", (o, g) => o.tokens[g], short],
  read: ["documents read", (o, g) => o.read[g], short],
};
function heatmap() {
  const sources = [...new Set(chosen.map((g) => groups[g][0]))], languages = [...new Set(chosen.map((g) => groups[g][1]))];
  const place = new Map(chosen.map((g) => [JSON.stringify(groups[g]), g]));
  const [, value, format] = METRICS[metric];
  const most = Math.max(1, ...chosen.map((g) => value(data.outcomes, g) || 0));
  const rows = languages.map((language) => [language, ...sources.map((source) => {
    const group = place.get(JSON.stringify([source, language]));
    const found = group === undefined ? null : value(data.outcomes, group);
    const share = found ? (metric === "share" ? found : Math.log1p(found) / Math.log1p(most)) : 0;
    return el("td", { class: "cell", text: found === null ? "" : format(found), style: { background: heat(share) } });
  })]);
  const pick = el("select", { "aria-label": "what is shown", onchange: (event) => { metric = event.target.value; draw("languages"); } },
    ...Object.entries(METRICS).map(([name, [label]]) => el("option", { value: name, text: label, ...(name === metric ? { selected: "" } : {}) })));
  return [el("p", {}, pick), table(["language", ...sources], rows)];
}

function mixture() {
  const rows = data.mixture.rows.filter((r) => chosen.some((g) => groups[g][0] === r.source) && (filter.language === "" || r.language === filter.language));
  if (!rows.length) return none("no stream of tokens here");
  const most = Math.max(...rows.map((r) => Math.max(r.planned, r.built)));
  const bar = (share, kind) => el("td", {}, el("div", { class: "bar", style: { height: ".8rem" } }, el("i", { class: kind, style: { width: `${100 * share / most}%` } })));
  const more = data.mixture.more ? el("p", { class: "dim", text: `${data.mixture.more} smaller streams are left out.` }) : null;
  return [table(["source", "language", "tokens", "built", "", "planned", "", "epochs"], rows.map((r) =>
    [r.source, r.language, short(r.tokens), percent(r.built, 1), bar(r.built, "gated"), percent(r.planned, 1), bar(r.planned, "kept"), r.epochs.toFixed(2)]), 2), more];
}

// The scale of histograms: see corpus/ledger/bins.py.
function edge(bin) {
  const place = Math.abs(bin), sign = Math.sign(bin);
  if (place <= 129) return sign * Math.max(0, place - 1) / 128;
  const steps = place - 129;
  return sign * 2 ** Math.floor(steps / 16) * (1 + (steps - 16 * Math.floor(steps / 16)) / 16);
}
function position(value) {
  const place = Math.abs(value), sign = Math.sign(value);
  if (place === 0) return 0.5;
  if (place < 1) return sign * (1 + place * 128);
  const octave = Math.floor(Math.log2(place));
  return sign * (129 + 16 * octave + 16 * (place / 2 ** octave - 1));
}
// Values worth a label, the most important first: those that crowd an earlier one are left out.
const NICE = [0, 1, -1, 0.5, 10, 100, 1000, 10000, 100000, 1e6, 1e7, 1e8, 0.2, 0.4, 0.6, 0.8, 0.1, 0.3, 0.7, 0.9, 2, 5, 3, 4, 6, 7, 8, 9, 20, 50,
  200, 500, 2000, 5000, 20000, 50000, 0.05, 0.95, 0.65, 0.75, 0.85, 0.02, 0.98, 12, 15, 30, -0.5, -10, -100].map((value) => [value, position(value)]);
function counted(signal, within) {
  const found = new Map();
  for (const [group, ...rest] of data.histograms[signal] || []) {
    if (!within.has(group)) continue;
    for (let at = 0; at < rest.length; at += 3) {
      const entry = found.get(rest[at]) || [0, 0];
      entry[0] += rest[at + 1]; entry[1] += rest[at + 2];
      found.set(rest[at], entry);
    }
  }
  return found;
}
// The chosen groups that a rule is for; for a signal that is missing, those with any rule on it.
function holds(rule) {
  const same = rule.bound === "missing" ? data.rules.filter((other) => other.signal === rule.signal) : [rule];
  const bound = new Set(same.flatMap((one) => one.limits.filter((_, at) => at % 2 === 0)));
  return new Set(chosen.filter((group) => bound.has(group)));
}
function histogram(rule, cuts, node) {
  const bins = counted(rule.signal, holds(rule));
  if (!bins.size) return node.replaceChildren(none("not measured here"));
  const places = [...bins.keys()], marks = cuts.map(position);
  const low = Math.floor(Math.min(...places, ...marks)) - 1, high = Math.ceil(Math.max(...places, ...marks)) + 2;
  const step = Math.max(1, Math.round((high - low) / 110));
  const xs = [], every = [], kept = [];
  for (let place = low; place <= high; place += step) {
    let a = 0, b = 0;
    for (let bin = place; bin < place + step; bin++) { const entry = bins.get(bin); if (entry) { a += entry[0]; b += entry[1]; } }
    xs.push(place + step / 2); every.push(a); kept.push(b);
  }
  const bars = uPlot.paths.bars({ size: [0.92, 40], align: 0 }), ink = css("--dim"), line = css("--line");
  const nodeWidth = paper || Math.max(240, node.clientWidth), apart = (high - low) * 46 / nodeWidth, ticks = [];
  for (const [value, place] of NICE) {
    if (place >= low && place <= high && ticks.every((tick) => Math.abs(tick.place - place) >= apart)) ticks.push({ value, place });
  }
  ticks.sort((one, other) => one.place - other.place);
  const top = Math.max(...every), powers = [0, 1];
  while (powers[powers.length - 1] * 10 <= top) powers.push(powers[powers.length - 1] * 10);
  const options = {
    width: nodeWidth, height: 170, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: [low, high] }, y: scale === "asinh" ? { distr: 4, range: (_, min, max) => [0, max * 1.15 || 1] } : { range: (_, min, max) => [0, max * 1.08 || 1] } },
    axes: [
      { stroke: ink, grid: { show: false }, ticks: { stroke: line }, splits: () => ticks.map((tick) => tick.place), values: () => ticks.map((tick) => number(tick.value)), font: "11px system-ui" },
      { stroke: ink, grid: { stroke: line, width: 0.5 }, ticks: { stroke: line }, size: 48, font: "11px system-ui", ...(scale === "asinh" ? { splits: () => powers, filter: (_, found) => found } : {}), values: (_, ticks) => ticks.map((t) => t === null || t % 1 ? "" : short(t)) },
    ],
    series: [{}, { label: "texts", paths: bars, fill: css("--rules"), width: 0, points: { show: false } }, { label: "kept", paths: bars, fill: css("--kept"), width: 0, points: { show: false } }],
    hooks: {
      draw: [(plot) => {
        const pen = plot.ctx;
        pen.save(); pen.strokeStyle = css("--ink"); pen.lineWidth = 2 * devicePixelRatio; pen.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
        for (const mark of marks) {
          const x = Math.round(plot.valToPos(mark, "x", true));
          pen.beginPath(); pen.moveTo(x, plot.bbox.top); pen.lineTo(x, plot.bbox.top + plot.bbox.height); pen.stroke();
        }
        pen.restore();
      }],
      setCursor: [(plot) => {
        const at = plot.cursor.idx;
        node.title = at === null || at === undefined ? "" : `${number(edge(Math.floor(xs[at] - step / 2)))} to ${number(edge(Math.floor(xs[at] + step / 2)))}: ${whole(every[at])} texts, ${whole(kept[at])} kept`;
      }],
    },
  };
  node.replaceChildren();
  new uPlot(options, [xs, every, kept], node);
}

function cutsOf(rule) {
  const by = new Map();
  for (let at = 0; at < rule.limits.length; at += 2) {
    if (!inChosen.has(rule.limits[at])) continue;
    const value = rule.limits[at + 1];
    by.set(value, (by.get(value) || new Set()).add(groups[rule.limits[at]][1]));
  }
  return [...by].map(([value, languages]) => [value, [...languages]]).sort((a, b) => b[1].length - a[1].length);
}
function quote(sample) {
  const also = sample.also.filter((name) => name !== sample.rule);
  const head = `${number(sample.value)}  ·  ${sample.source}  ·  ${sample.language || "-"}  ·  ${sample.url}`;
  return el("blockquote", { class: sample.kept ? "stays" : "" }, el("span", { class: "where", text: head }),
    el("span", { class: "words", text: sample.text }), also.length ? el("span", { class: "where", text: `fails also ${also.join(", ")}` }) : null,
    el("span", { class: "where", text: sample.id }));
}
function rules() {
  const quiet = [], nodes = [];
  const shown = data.rules.map((rule) => [rule, sparse(rule.failed)]).sort((a, b) => b[1] - a[1]);
  for (const [rule, failed] of shown) {
    const cuts = cutsOf(rule), texts = sum([...holds(rule)].map((group) => data.outcomes.passed[group]));
    if (!failed) { if (cuts.length) quiet.push(rule.name); continue; }
    const chart = el("div", { class: "chart" });
    const bounds = rule.bound === "pareto" ? "drawn by chance" : cuts.slice(0, 4).map(([value, languages]) =>
      cuts.length === 1 ? `cut at ${number(value)}` : `${number(value)} in ${languages.length > 3 ? `${languages.length} languages` : languages.join(", ")}`).join("; ") + (cuts.length > 4 ? "; ..." : "");
    const facts = el("div", { class: "facts" }, el("b", { text: whole(failed) }), ` fail (${percent(failed, texts)} of the texts that the rule is for), `,
      el("b", { text: whole(sparse(rule.failed_only)) }), " fail this alone, ", el("b", { text: `${whole(sparse(rule.near_failed))} / ${whole(sparse(rule.near_passed))}` }), " just fail / just pass. ", bounds);
    const fits = rule.samples.filter((s) => all === chosen || ((!filter.source || s.source === filter.source) && (!filter.language || s.language === filter.language)))
      .map((s) => ({ ...s, rule: rule.name }));
    const side = (kept, title) => el("div", {}, el("h4", { text: title }), ...(fits.some((s) => s.kept === kept) ? fits.filter((s) => s.kept === kept).map(quote) : [none("none here among those nearest to the cut")]));
    const sides = rule.bound === "pareto" || rule.bound === "missing" ? null : el("div", { class: "sides" }, side(false, "dropped, nearest to the cut"), side(true, "kept, nearest to the cut"));
    nodes.push(el("article", { class: "rule" }, el("header", {}, el("h3", { text: rule.name }), facts), chart, sides));
    charts.push(() => histogram(rule, rule.bound === "pareto" ? [] : cuts.slice(0, 12).map(([value]) => value), chart));
  }
  const pick = el("select", { "aria-label": "scale of the histograms", onchange: (event) => { scale = event.target.value; charts.forEach((one) => one()); } },
    ...[["asinh", "small bars visible (asinh)"], ["linear", "linear"]].map(([value, text]) => el("option", { value, text, ...(value === scale ? { selected: "" } : {}) })));
  const legend = el("div", { class: "legend" }, el("span", {}, el("i", { class: "rules" }), "all texts"), el("span", {}, el("i", { class: "kept" }), "kept"), el("span", { text: "┆ cut" }), pick);
  return [legend, ...nodes, nodes.length ? null : none("no rule fails here"),
    quiet.length ? el("details", {}, el("summary", { text: `${quiet.length} rules fail nothing here` }), el("ul", { class: "plain" }, ...quiet.sort().map((name) => el("li", {}, el("code", { text: name }))))) : null];
}
let charts = [];
// While it prints, the width of a chart on paper: A4 or Letter without margins and the frame of a rule.
let paper = 0;

function overlaps() {
  const names = data.overlaps.rules, failed = new Map(data.rules.map((rule) => [rule.name, sparse(rule.failed)]));
  const pairs = new Map(), list = data.overlaps.pairs;
  for (let at = 0; at < list.length; at += 4) {
    if (!inChosen.has(list[at])) continue;
    for (const key of [`${list[at + 1]} ${list[at + 2]}`, `${list[at + 2]} ${list[at + 1]}`]) pairs.set(key, (pairs.get(key) || 0) + list[at + 3]);
  }
  const present = names.map((name, at) => at).filter((at) => failed.get(names[at]));
  if (present.length < 2) return none("fewer than two rules fail here");
  const rows = present.map((row, line) => [`${line + 1}  ${names[row]}`, whole(failed.get(names[row])), ...present.map((column) => {
    if (row === column) return el("td", { class: "cell", text: "·" });
    const both = pairs.get(`${row} ${column}`) || 0, share = both / failed.get(names[row]);
    return el("td", { class: "cell", text: both ? Math.round(100 * share) || "<1" : "", title: `${names[row]} and ${names[column]}: ${whole(both)} texts`, style: { background: heat(share, "--rules") } });
  })]);
  const heads = ["rule", "fail", ...present.map((_, at) => el("th", { class: "turn", text: String(at + 1), title: names[present[at]] }))];
  const found = table(heads, rows);
  found.firstChild.classList.add("matrix");
  return found;
}

function duplicates() {
  const levels = data.duplicates.map((level) => [level.name, whole(sparse(level.duplicate))]);
  if (!levels.length) return none("no duplicates went");
  const clusters = new Map();
  for (const row of data.clusters) if (!filter.source || row.source === filter.source) {
    const entry = clusters.get(row.size) || {};
    entry[row.level] = (entry[row.level] || 0) + row.documents;
    clusters.set(row.size, entry);
  }
  const kinds = data.duplicates.map((level) => level.name);
  const rows = [...clusters].sort((a, b) => a[0] - b[0]).map(([n, entry]) => [n <= 8 ? String(n) : `${whole(n)} to ${whole(2 * n - 1)}`, ...kinds.map((kind) => whole(entry[kind] || 0))]);
  return el("div", { class: "columns" }, el("div", {}, table(["level", "documents that went"], levels)), el("div", {}, table(["cluster of", ...kinds], rows)));
}

function bytesPerToken() {
  const by = new Map();
  for (const g of chosen) {
    const entry = by.get(groups[g][1]) || [0, 0];
    entry[0] += data.outcomes.bytes[g]; entry[1] += data.outcomes.tokens[g];
    by.set(groups[g][1], entry);
  }
  const rows = [...by].filter(([, [, tokens]]) => tokens).map(([language, [bytes, tokens]]) => [language, bytes / tokens, tokens]).sort((a, b) => b[2] - a[2]);
  if (!rows.length) return none("no tokens here");
  const most = Math.max(...rows.map((row) => row[1]));
  return el("div", { class: "bars" }, ...rows.flatMap(([language, ratio, tokens]) =>
    [el("span", { text: language }), el("i", { style: { width: `${100 * ratio / most}%` }, title: `${short(tokens)} tokens` }), el("span", { text: ratio.toFixed(2) })]));
}

function listed(rows, key, what) {
  return table([key, "documents", "kept", "bytes", "bytes kept"], rows.map((row) =>
    [row[key] === null ? `(${whole(row.names)} others)` : row[key] || "-", whole(row.documents), whole(row.kept), size(row.bytes), size(row.kept_bytes)]));
}
function quarantine() {
  const rows = data.quarantine.filter((row) => !filter.source || row.source === filter.source);
  return rows.length ? table(["source", "step", "reason", "records"], rows.map((row) => [row.source, row.step, row.reason, whole(row.records)]), 3) : none("everything could be read");
}
function span(seconds) {
  if (seconds < 120) return `${+seconds.toPrecision(3)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
function timings() {
  if (!data.timings) return none("This page is the same for the same input, so it has no times: `corpus report DIR --out FILE` adds them.");
  const { state, began, seconds, stages } = data.timings;
  const told = el("p", { text: `The last run that did something began on ${new Date(1000 * began).toISOString().slice(0, 16).replace("T", " at ")} UTC and took ${span(seconds)}${state === "done" ? "" : `; it ${state}`}.` });
  return [told, table(["stage", "time", "of processors", "documents", "a second", "processes"], stages.map((row) =>
    [row.stage, span(row.seconds), span(row.cpu_seconds), row.documents ? whole(row.documents) : "-", row.documents && row.seconds ? whole(row.documents / row.seconds) : "-", whole(row.workers)]))];
}

const filter = { source: "", language: "" };
function draw(id) {
  if (!id || id === "rules") charts = [];
  for (const one of sections) if (!id || one.id === id) one.draw();
  if (!id || id === "rules") charts.forEach((chart) => chart());
}
function choose(kind, value) {
  filter[kind] = value;
  chosen = all.filter((g) => (!filter.source || groups[g][0] === filter.source) && (!filter.language || groups[g][1] === filter.language));
  if (!filter.source && !filter.language) chosen = all;
  inChosen = new Set(chosen);
  draw();
}

section("totals", "Totals", "What was read and what is left of it.", headline);
section("alarms", "Alarms", "What deserves a look first.", () => data.alarms.length ? el("ul", { class: "alarms" }, ...data.alarms.map((text) => el("li", { text }))) : none("none"), false);
section("funnel", "From records to tokens", "Documents of each source by what became of them.", funnel);
section("languages", "Sources and languages", "The stronger the colour, the more (counts on a logarithmic scale).", heatmap);
section("mixture", "Mixture", "Built: the part of all tokens in the shards. Planned: the part of the tokens that training draws. Epochs: how often a stream is seen while as many tokens are drawn as there are.", mixture);
section("rules", "Rules", "Each rule with the values of its signal, its cut, and documents on both sides of it. Values between 0 and 1 are spaced evenly, larger ones by doublings.", rules);
section("overlaps", "Rules that fail together", "Of the texts that fail the rule of a row, the percentage that fail the rule of a column too. Rules with 100 somewhere remove nothing that the other does not.", overlaps);
section("duplicates", "Duplicates", "Documents that went for another one, by how they were found and by the size of their cluster.", duplicates);
section("ratio", "Bytes per token", `How well the vocabulary${data.vocabulary ? ` of ${whole(data.vocabulary)}` : ""} fits each language; most tokens first.`, bytesPerToken);
section("domains", "Domains and licences", "The ones with the most documents; the filters do not apply.", () => el("div", { class: "columns" }, el("div", {}, listed(data.domains, "domain")), el("div", {}, listed(data.licenses, "license"))), false);
section("quarantine", "Quarantine", "Records that could not be read: nothing is lost, DIR/quarantine has the place of each.", quarantine);
section("timings", "Timings", "How long each stage took.", timings, false);

function selector(kind, at) {
  const names = [...new Set(groups.map((group) => group[at]))];
  return el("label", {}, `${kind} `, el("select", { id: `by-${kind}`, onchange: (event) => choose(kind, event.target.value) },
    el("option", { value: "", text: "all" }), ...names.map((name) => el("option", { value: name, text: name }))));
}
document.body.append(
  el("nav", {}, el("div", {}, selector("source", 0), selector("language", 1), el("span", { class: "links" }, ...sections.map(({ id, title }) => el("a", { href: `#${id}`, text: title }))))),
  el("main", {}, el("h1", { text: data.name }), ...sections.map(({ node }) => node)));
// report.html#language=tha_Thai opens with the filter set.
for (const [kind, value] of new URLSearchParams(location.hash.slice(1))) {
  const select = kind in filter ? document.getElementById(`by-${kind}`) : null;
  if (select && [...select.options].some((option) => option.value === value)) { select.value = value; filter[kind] = value; }
}
choose("source", filter.source);
for (const [event, width] of [["beforeprint", 680], ["afterprint", 0]]) {
  addEventListener(event, () => { paper = width; charts.forEach((chart) => chart()); });
}
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; charts.forEach((chart) => chart()); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());
document.documentElement.dataset.ready = "yes";
