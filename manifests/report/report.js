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
    if (Math.abs(n) < 999.5 || unit === "B") return unit ? `${Math.abs(n) < 999.5 ? n.toPrecision(3) : whole(n)}${unit}` : `${n % 1 ? +n.toPrecision(3) : n}`;
    n /= 1000;
  }
}
function size(n) {
  for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
    if (n < 1000 || unit === "TB") return `${unit === "B" ? n : n.toFixed(1)} ${unit}`;
    n /= 1000;
  }
}
const percent = (part, of) => (!of ? "-" : part > 0 && part / of < 0.0005 ? "<0.1%" : `${(100 * part / of).toFixed(part / of < 0.1 ? 1 : 0)}%`);
const number = (x) => (+(+x).toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
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
// Tables with more rows scroll in themselves.
const MANY_ROWS = 30;
// A table of which some columns are text: so many from the left, or those at the places given.
function table(heads, rows, texts = 1) {
  const isText = (at) => (typeof texts === "number" ? at < texts : texts.includes(at));
  const row = (cells, tag) => el("tr", {}, ...cells.map((cell, at) =>
    cell instanceof HTMLTableCellElement ? cell : el(tag, { class: isText(at) ? "text" : "" }, cell)));
  const body = el("table", {}, el("thead", {}, row(heads, "th")), el("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
  return el("div", { class: rows.length > MANY_ROWS ? "scroll tall" : "scroll", tabindex: "0" }, body);
}
const none = (text) => el("p", { class: "none" }, ...rich(text));
const heat = (share, color = "--heat") => share > 0 ? `color-mix(in srgb, var(${color}) ${Math.round(8 + 72 * Math.min(1, share))}%, transparent)` : "";
const plural = (n, one, many = `${one}s`) => (n === 1 ? one : many);
const unique = (list) => [...new Set(list)];

// Languages: by English name, with the label beside it; the most kept first, texts in none and the rest last.
const nameOf = (label) => data.names[label] || label;
const isLanguage = (label) => !/^(und(_|$)|others?$)/.test(label);
function language(label) {
  return data.names[label] ? el("span", { class: "language" }, `${data.names[label]} `, el("code", { class: "dim", text: label })) : el("span", { text: label || "-" });
}
function ordered(at) {
  const sizes = new Map();
  groups.forEach((group, g) => {
    const entry = sizes.get(group[at]) || [0, 0];
    entry[0] += data.outcomes.train[g] + data.outcomes.valid[g]; entry[1] += data.outcomes.read[g];
    sizes.set(group[at], entry);
  });
  const last = (name) => (at === 1 && !isLanguage(name) ? 1 : 0);
  return [...sizes.keys()].sort((a, b) => last(a) - last(b) || sizes.get(b)[0] - sizes.get(a)[0] || sizes.get(b)[1] - sizes.get(a)[1] || (a < b ? -1 : 1));
}
const order = [ordered(0), ordered(1)];
function present(at) {
  const here = new Set(chosen.map((g) => groups[g][at]));
  return order[at].filter((name) => here.has(name));
}
// A sentence with `code` in it, and labels of languages outside of code followed by their names.
function rich(text) {
  return text.split(/`([^`]+)`/).flatMap((piece, at) => (at % 2 ? [el("code", { text: piece })]
    : piece.split(/\b((?:[a-z]{3}_[A-Z][a-z]{3}|code_[a-z0-9]+))\b/).map((part, n) => (n % 2 && data.names[part] ? language(part) : part))));
}

const sections = [];
function section(id, title, about, draw, wide = true) {
  const body = el("div");
  const node = el("section", { id, class: wide ? "wide" : "" }, el("h2", { text: title }), el("p", { class: "dim" }, ...rich(about)), body);
  sections.push({ id, title, node, draw: () => body.replaceChildren(...[draw()].flat().filter(Boolean)) });
}

function headline() {
  const o = data.outcomes, read = over(o.read), kept = over(o.train) + over(o.valid);
  const bytes = over(o.bytes), tokens = over(o.tokens);
  const everything = chosen.length === all.length;
  const kinds = (list, at) => unique(list.map((g) => groups[g][at])).filter((name) => at === 0 || isLanguage(name)).length;
  const languages = everything ? data.languages : { read: kinds(chosen, 1), kept: kinds(chosen.filter((g) => data.outcomes.train[g] + data.outcomes.valid[g]), 1) };
  const sources = everything ? data.sources.length + data.more_sources : kinds(chosen, 0);
  const raised = Object.values(data.shares).filter((share) => share > data.validation).length;
  const cards = [
    [whole(read), plural(read, "document read", "documents read")],
    [whole(kept), `kept, ${percent(kept, read)}`],
    [size(bytes), `of text kept, ${percent(bytes, over(o.text_bytes))}`],
    [short(tokens), plural(tokens, "token")],
    [tokens ? (bytes / tokens).toFixed(2) : "-", "bytes a token"],
    [percent(over(o.valid), kept), `in validation (${percent(data.validation, 1)} asked${raised ? `, more of ${whole(raised)} small ${plural(raised, "language")}` : ""})`],
    [whole(languages.kept), `${plural(languages.kept, "language")} kept${languages.read > languages.kept ? `, of ${whole(languages.read)} read` : ""}`],
    [whole(sources), plural(sources, "source")],
  ];
  return el("div", { class: "cards" }, ...cards.map(([value, label]) => el("div", {}, el("b", { text: value }), el("span", { text: label }))));
}

const OUTCOMES = [["kept", "kept for training"], ["valid", "for validation"], ["duplicate", "duplicates"], ["rules", "failed rules"], ["gated", "stopped by gates"]];
function funnel() {
  const rows = [];
  for (const source of present(0)) {
    const at = (name) => sum(chosen.filter((g) => groups[g][0] === source).map((g) => data.outcomes[name][g]));
    const read = at("read");
    const parts = { kept: at("train"), valid: at("valid"), duplicate: at("duplicate"), rules: at("rules"), gated: at("gated") };
    const bar = el("div", { class: "bar", role: "img", "aria-label": `${source}: ${whole(parts.kept + parts.valid)} of ${whole(read)} kept` });
    for (const [name, label] of OUTCOMES) {
      if (parts[name]) bar.append(el("i", { class: name, title: `${label}: ${whole(parts[name])} (${percent(parts[name], read)})`, style: { width: `${100 * parts[name] / read}%` } }));
    }
    const kept = parts.kept + parts.valid;
    rows.push(el("b", { text: source }), bar, el("span", { text: `${whole(read)} read → ${whole(at("passed"))} ${plural(at("passed"), "text")} → ${whole(at("passed") - parts.rules)} past rules → ${whole(kept)} kept → ${short(at("tokens"))} tokens` }));
  }
  const legend = el("div", { class: "legend" }, ...OUTCOMES.map(([name, label]) => el("span", {}, el("i", { class: name }), label)));
  const gates = data.gates.map((gate) => [gate.name, sparse(gate.gated)]).filter(([, n]) => n).sort((a, b) => b[1] - a[1]);
  return [legend, el("div", { class: "funnel" }, ...rows), gates.length ? el("h3", { class: "minor", text: "Documents stopped, by gate" }) : null,
    gates.length ? el("ul", { class: "plain tally" }, ...gates.map(([name, n]) => el("li", {}, el("code", { text: name }), el("b", { text: whole(n) })))) : null];
}

const METRICS = {
  kept: ["documents kept", (o, g) => o.train[g] + o.valid[g], short],
  share: ["share of texts kept", (o, g) => o.passed[g] ? (o.train[g] + o.valid[g]) / o.passed[g] : null, (x) => percent(x, 1)],
  tokens: ["tokens", (o, g) => o.tokens[g], short],
  read: ["documents read", (o, g) => o.read[g], short],
};
function heatmap() {
  const sources = present(0), languages = present(1);
  const place = new Map(chosen.map((g) => [JSON.stringify(groups[g]), g]));
  const [, value, format] = METRICS[metric];
  const most = Math.max(1, ...chosen.map((g) => value(data.outcomes, g) || 0));
  const rows = languages.map((label) => [language(label), ...sources.map((source) => {
    const group = place.get(JSON.stringify([source, label]));
    const found = group === undefined ? null : value(data.outcomes, group);
    const share = found ? (metric === "share" ? found : Math.log1p(found) / Math.log1p(most)) : 0;
    return el("td", { class: "cell", text: found === null ? "" : format(found), style: { background: heat(share) } });
  })]);
  const pick = el("select", { "aria-label": "what is shown", onchange: (event) => { metric = event.target.value; draw("languages"); } },
    ...Object.entries(METRICS).map(([name, [label]]) => el("option", { value: name, text: label, ...(name === metric ? { selected: "" } : {}) })));
  const found = table(["language", ...sources], rows);
  found.classList.add("first");
  return [el("p", {}, pick), found];
}

// Documents held out, by language and source; a language that is kept and has none is marked.
function heldOut() {
  const sources = present(0), o = data.outcomes;
  if (!data.validation && !over(o.valid)) return none("the manifest holds nothing out: `validation: {share: 0}`");
  const place = new Map(chosen.map((g) => [JSON.stringify(groups[g]), g]));
  const rows = present(1).map((label) => {
    const own = chosen.filter((g) => groups[g][1] === label), total = (list) => sum(own.map((g) => list[g]));
    return { label, valid: total(o.valid), kept: total(o.train) + total(o.valid), tokens: total(data.valid_tokens), own };
  }).filter((row) => row.kept);
  if (!rows.length) return none("nothing is kept here");
  const most = Math.max(1, ...chosen.map((g) => o.valid[g]));
  const asked = (label) => (label in data.shares ? data.shares[label] : data.validation);
  const cell = (group) => {
    const valid = group === undefined ? 0 : o.valid[group], kept = group === undefined ? 0 : valid + o.train[group];
    return el("td", { class: "cell", text: kept ? whole(valid) : "", title: kept ? `${whole(valid)} of ${whole(kept)} kept documents` : "", style: { background: heat(Math.log1p(valid) / Math.log1p(most)) } });
  };
  const lines = rows.map((row) => [language(row.label), row.valid ? el("td", { text: whole(row.valid) }) : el("td", { class: "lacking", text: "none" }),
    percent(row.valid, row.kept), percent(asked(row.label), 1), short(row.tokens), ...sources.map((source) => cell(place.get(JSON.stringify([source, row.label]))))]);
  const total = (key) => sum(rows.map((row) => row[key]));
  if (rows.length > 1) lines.push([el("td", {}, el("b", { text: "all" })), whole(total("valid")), percent(total("valid"), total("kept")), percent(data.validation, 1), short(total("tokens")),
    ...sources.map((source) => el("td", { class: "cell", text: whole(sum(chosen.filter((g) => groups[g][0] === source).map((g) => o.valid[g]))) }))]);
  const node = table(["language", "documents", "of kept", "asked", "tokens", ...sources], lines);
  node.classList.add("first");
  return node;
}

function mixture() {
  const rows = data.mixture.rows.filter((r) => chosen.some((g) => groups[g][0] === r.source) && (filter.language === "" || r.language === filter.language));
  if (!rows.length) return none("no stream of tokens here");
  const most = Math.max(...rows.map((r) => Math.max(r.planned, r.built)));
  const bar = (share, kind) => el("div", { class: "bar", style: { height: ".45rem", margin: "2px 0" } }, el("i", { class: kind, style: { width: `${100 * share / most}%` } }));
  const legend = el("div", { class: "legend" }, el("span", {}, el("i", { class: "gated" }), "built"), el("span", {}, el("i", { class: "kept" }), "planned"));
  const more = data.mixture.more ? el("p", { class: "dim", text: `${whole(data.mixture.more)} smaller ${plural(data.mixture.more, "stream is", "streams are")} left out.` }) : null;
  return [legend, table(["source", "language", "tokens", "built", "planned", "", "epochs"], rows.map((r) =>
    [r.source, language(r.language), short(r.tokens), percent(r.built, 1), percent(r.planned, 1), el("td", {}, bar(r.built, "gated"), bar(r.planned, "kept")), r.epochs.toFixed(2)]), 2), more];
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
    width: nodeWidth, height: 180, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: [low, high] }, y: scale === "asinh" ? { distr: 4, range: (_, min, max) => [0, max * 1.15 || 1] } : { range: (_, min, max) => [0, max * 1.08 || 1] } },
    axes: [
      { stroke: ink, grid: { show: false }, ticks: { stroke: line }, splits: () => ticks.map((tick) => tick.place), values: () => ticks.map((tick) => number(tick.value)), font: "11px system-ui", label: rule.signal, labelSize: 16, size: 30, labelFont: "11px system-ui" },
      { stroke: ink, grid: { stroke: line, width: 0.5 }, ticks: { stroke: line }, size: 44, label: "texts", labelSize: 14, labelFont: "11px system-ui", font: "11px system-ui", ...(scale === "asinh" ? { splits: () => powers, filter: (_, found) => found } : {}), values: (_, ticks) => ticks.map((t) => t === null || t % 1 ? "" : t < 1e5 ? whole(t) : short(t).replace(/\.?0+(?=[kMB])/, "")) },
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
  const head = `${number(sample.value)}  ·  ${sample.source}  ·  ${nameOf(sample.language || "-")}  ·  ${sample.url}`;
  return el("blockquote", { class: sample.kept ? "stays" : "" }, el("span", { class: "where", text: head, title: sample.whole_url }),
    el("span", { class: "words", text: sample.text }), also.length ? el("span", { class: "where", text: `fails also ${also.join(", ")}` }) : null,
    el("span", { class: "where", text: sample.id }));
}
const OPEN_RULES = 10;
let opened = null, wanted = "";
function rules() {
  const counted = data.rules.map((rule) => [rule, sparse(rule.failed)]);
  const shown = counted.filter(([, failed]) => failed).sort((a, b) => b[1] - a[1]);
  const quiet = counted.filter(([rule, failed]) => !failed && cutsOf(rule).length).map(([rule]) => rule.name);
  opened = opened || new Set(shown.slice(0, OPEN_RULES).map(([rule]) => rule.name));
  const nodes = shown.map(([rule, failed]) => ruleCard(rule, failed));
  const pick = el("select", { "aria-label": "scale of the histograms", onchange: (event) => { scale = event.target.value; charts.forEach((one) => one()); } },
    ...[["asinh", "small counts visible"], ["linear", "counts in proportion"]].map(([value, text]) => el("option", { value, text, ...(value === scale ? { selected: "" } : {}) })));
  const legend = el("div", { class: "legend" }, el("span", {}, el("i", { class: "rules" }), "all texts"), el("span", {}, el("i", { class: "kept" }), "kept"), el("span", { text: "┆ cut" }), pick);
  const told = el("span", { class: "dim" });
  const seek = () => {
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const [at, [rule]] of shown.entries()) {
      const text = `${rule.name} ${rule.measures}`.toLowerCase();
      nodes[at].hidden = !words.every((word) => text.includes(word));
      left += !nodes[at].hidden;
    }
    told.textContent = `${whole(left)} of ${whole(nodes.length)} ${plural(nodes.length, "rule")}`;
  };
  const search = el("input", { type: "search", placeholder: "search rules: words, gopher, min", "aria-label": "search rules", value: wanted, oninput: (event) => { wanted = event.target.value; seek(); } });
  const turn = (open) => nodes.forEach((node) => { if (!node.hidden) node.open = open; });
  const tools = el("div", { class: "tools" }, search, el("button", { type: "button", text: "open", onclick: () => turn(true) }), el("button", { type: "button", text: "close", onclick: () => turn(false) }), told);
  seek();
  return [...(nodes.length ? [tools, legend, el("div", { class: "cards-of-rules" }, ...nodes)] : [none("no rule fails here")]),
    quiet.length ? el("details", {}, el("summary", { text: `${whole(quiet.length)} ${plural(quiet.length, "rule fails", "rules fail")} nothing here` }), el("ul", { class: "plain" }, ...quiet.sort().map((name) => el("li", {}, el("code", { text: name }))))) : null];
}
// A rule: its name and share at once, chart and texts when it is opened.
function ruleCard(rule, failed) {
  const cuts = cutsOf(rule), texts = sum([...holds(rule)].map((group) => data.outcomes.passed[group]));
  const bounds = rule.bound === "pareto" ? "drawn by chance" : cuts.slice(0, 4).map(([value, labels]) =>
    cuts.length === 1 ? `cut at ${number(value)}` : `${number(value)} in ${labels.length > 3 ? `${labels.length} languages` : labels.map(nameOf).join(", ")}`).join("; ") + (cuts.length > 4 ? "; ..." : "");
  const head = el("summary", {}, el("h3", { text: rule.name }), el("span", { class: "share" }, el("i", { style: { width: `${texts ? 100 * failed / texts : 0}%` } })), el("b", { text: `${whole(failed)} fail` }), el("span", { class: "dim", text: percent(failed, texts) }));
  const body = el("div");
  const node = el("details", { class: "rule", ...(opened.has(rule.name) ? { open: "" } : {}) }, head, body);
  let drawn = false;
  const fill = () => {
    if (drawn || !node.open) return;
    drawn = true;
    const only = sparse(rule.failed_only);
    const facts = el("p", { class: "facts" }, rule.measures ? `${rule.measures}. ` : "", el("b", { text: whole(failed) }), ` of ${whole(texts)} texts that the rule is for ${plural(failed, "fails", "fail")}, `,
      el("b", { text: whole(only) }), ` ${plural(only, "fails", "fail")} this alone, `, el("b", { text: `${whole(sparse(rule.near_failed))} / ${whole(sparse(rule.near_passed))}` }), " just fail / just pass. ", bounds ? `${bounds[0].toUpperCase()}${bounds.slice(1)}.` : "");
    const chart = el("div", { class: "chart" });
    const fits = rule.samples.filter((s) => (!filter.source || s.source === filter.source) && (!filter.language || s.language === filter.language)).map((s) => ({ ...s, rule: rule.name }));
    const side = (kept, title) => el("div", {}, el("h4", { text: title }), ...(fits.some((s) => s.kept === kept) ? fits.filter((s) => s.kept === kept).map(quote) : [none("none here among those nearest to the cut")]));
    const sides = rule.bound === "pareto" || rule.bound === "missing" ? [] : [el("div", { class: "sides" }, side(false, "dropped, nearest to the cut"), side(true, "kept, nearest to the cut"))];
    body.replaceChildren(facts, chart, ...sides);
    const show = () => { if (chart.isConnected && node.open) histogram(rule, rule.bound === "pareto" ? [] : cuts.slice(0, 12).map(([value]) => value), chart); };
    charts.push(show);
    show();
  };
  node.addEventListener("toggle", () => { opened[node.open ? "add" : "delete"](rule.name); fill(); });
  pending.push(fill);
  return node;
}
let pending = [];
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
  return el("div", { class: "columns" }, el("div", {}, table(["level", "documents that went"], levels)), el("div", {}, table(["documents in a cluster", ...kinds], rows)));
}

function drawn(tag, options, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(options)) name === "text" ? (node.textContent = value) : node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Candidates with their interval and what is found, at each step of likeness, beside the curve of the banding.
function canaries() {
  const own = data.canaries.filter((row) => filter.language ? row.language === filter.language : true);
  const rows = filter.language ? own : data.canaries.filter((row) => row.language === (data.canaries[0].language || null) || !row.language);
  const listed = filter.language ? own : data.canaries;
  if (!listed.length) return none("no canaries in this language");
  const share = (x) => (x === null ? "-" : x.toFixed(3));
  const cells = listed.map((row) => [row.language ? language(row.language) : "all languages", row.likeness === 0.4 ? "below .45" : row.likeness.toFixed(1), whole(row.pairs), share(row.expected), el("td", { style: { background: row.high < row.expected - 0.02 ? heat(0.5, "--duplicate") : "" } }, share(row.candidates)), `${share(row.low)} to ${share(row.high)}`, share(row.found), share(row.precision)]);
  const x = (s) => 40 + 520 * (s - 0.4) / 0.6, y = (p) => 200 - 180 * p;
  const { bands, rows: deep, threshold } = data.minhash || {};
  const points = Array.from({ length: 61 }, (_, at) => 0.4 + at / 100);
  const curve = bands ? [drawn("polyline", { class: "theory", points: points.map((s) => `${x(s)},${y(1 - (1 - s ** deep) ** bands)}`).join(" ") }), drawn("line", { class: "threshold", x1: x(threshold), x2: x(threshold), y1: y(0), y2: y(1) })] : [];
  const axis = [0, 0.25, 0.5, 0.75, 1].flatMap((p) => [drawn("line", { class: "grid", x1: 40, x2: 560, y1: y(p), y2: y(p) }), drawn("text", { x: 34, y: y(p) + 4, "text-anchor": "end", text: p })])
    .concat([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map((s) => drawn("text", { x: x(s), y: 218, "text-anchor": "middle", text: s.toFixed(1) })));
  const marks = rows.flatMap((row) => [
    drawn("line", { class: "interval", x1: x(row.likeness), x2: x(row.likeness), y1: y(row.low), y2: y(row.high) }),
    drawn("circle", { class: "candidates", cx: x(row.likeness), cy: y(row.candidates), r: 4 }, drawn("title", { text: `${share(row.candidates)} of ${whole(row.pairs)} are candidates, ${share(row.expected)} expected` })),
    drawn("rect", { class: "found", x: x(row.likeness) - 3.5, y: y(row.found) - 3.5, width: 7, height: 7 }, drawn("title", { text: `${share(row.found)} found` }))]);
  const legend = el("p", { class: "key" }, el("span", { class: "theory", text: "expected, 1 - (1 - s^rows)^bands" }), el("span", { class: "candidates", text: "candidates, 95 % interval" }), el("span", { class: "found", text: "found: verified, too" }), ...(bands ? [el("span", { class: "threshold", text: `threshold ${threshold}` })] : []));
  return el("div", {}, el("div", { class: "curve" }, drawn("svg", { viewBox: "0 0 580 225", role: "img", "aria-label": "share of canaries that are found, by likeness" }, ...axis, ...curve, ...marks), legend),
    table(["language", "likeness", "pairs", "expected", "candidates", "95 % interval", "found", "precision"], cells));
}

function edits() {
  const rows = data.edits.filter((row) => (!filter.source || row.source === filter.source) && (!filter.language || row.language === filter.language));
  if (!rows.length) return none("nothing was marked");
  const kinds = new Map();
  for (const row of rows) {
    const key = `${row.kind} ${row.done}`, entry = kinds.get(key) || { kind: row.kind, done: row.done, documents: 0, spans: 0, characters: 0 };
    for (const name of ["documents", "spans", "characters"]) entry[name] += row[name];
    kinds.set(key, entry);
  }
  const numbers = (row) => [whole(row.documents), whole(row.spans), whole(row.characters)];
  const summed = [...kinds.values()].sort((a, b) => b.characters - a.characters).map((row) => [row.kind, row.done, ...numbers(row)]);
  const named = rows.map((row) => [row.kind, row.source, row.language ? language(row.language) : "others", row.done, ...numbers(row)]);
  return [table(["kind", "done", "documents", "spans", "characters"], summed, 2), el("p", { class: "dim", text: "By source and language:" }),
    table(["kind", "source", "language", "done", "documents", "spans", "characters"], named, 4)];
}

function contamination() {
  const { sets, sources, unsought, hits } = data.contamination;
  const count = (row) => [row.set, row.source || "all", row.action, whole(row.items), whole(row.looked_for), whole(row.items_hit), whole(row.hits), whole(row.documents), whole(row.cleared), whole(row.common)];
  const of = (row) => sources.filter((each) => each.set === row.set && (!filter.source || each.source === filter.source));
  const rows = sets.flatMap((row) => [count(row), ...(of(row).length > 1 || filter.source ? of(row).map(count) : [])]);
  const shares = (parts) => Object.entries(parts).map(([part, share]) => `${part} ${share.toFixed(2)}`).join(", ");
  const both = hits.filter((hit) => !filter.source || hit.source === filter.source).map((hit) => el("div", { class: "columns" },
    el("div", {}, el("p", { text: `${hit.source}: ${hit.url || hit.id}` }), el("blockquote", {}, el("span", { class: "words" }, hit.before, el("b", { text: hit.passage }), hit.after))),
    el("div", {}, el("p", { text: `${hit.set}/${hit.item}: ${hit.verdict}${hit.reason ? ` (${hit.reason})` : ""}, score ${hit.score.toFixed(2)}, ${shares(hit.parts)}` }),
      el("blockquote", {}, el("span", { class: "words" }, ...hit.pieces.map(([text, matched]) => (matched ? el("b", { text }) : text)))))));
  return el("div", {}, table(["set", "source", "action", "items", "looked for", "items hit", "hits", "documents", "cleared", "common"], rows),
    ...(unsought.length ? [el("p", { class: "dim", text: "Items that are not looked for:" }),
      table(["set", "reason", "items"], unsought.map(([set, reason, items]) => [set, reason, whole(items)]), 2)] : []),
    ...(both.length ? [el("p", { class: "dim", text: "Some hits, the document on one side and the item on the other:" })] : []), ...both);
}

function bytesPerToken() {
  const by = new Map();
  for (const g of chosen) {
    const entry = by.get(groups[g][1]) || [0, 0];
    entry[0] += data.outcomes.bytes[g]; entry[1] += data.outcomes.tokens[g];
    by.set(groups[g][1], entry);
  }
  const rows = [...by].filter(([, [, tokens]]) => tokens).map(([label, [bytes, tokens]]) => [label, bytes / tokens, tokens]).sort((a, b) => b[2] - a[2]);
  if (!rows.length) return none("no tokens here");
  const most = Math.max(...rows.map((row) => row[1]));
  return el("div", { class: rows.length > MANY_ROWS ? "bars tall" : "bars", tabindex: "0" }, ...rows.flatMap(([label, ratio, tokens]) =>
    [language(label), el("i", { style: { width: `${100 * ratio / most}%` }, title: `${short(tokens)} tokens` }), el("span", { text: ratio.toFixed(2) })]));
}

function listed(rows, key, head, lacking) {
  if (!rows.length) return none(`no ${head} is known`);
  return table([head, "documents", "kept", "bytes", "bytes kept"], rows.map((row) =>
    [row[key] === null ? `(${whole(row.names)} ${plural(row.names, "other")})` : row[key] || lacking, whole(row.documents), whole(row.kept), size(row.bytes), size(row.kept_bytes)]));
}
const NAMED_SOURCES = 4;
function quarantine() {
  const { rows: listed, more, more_records } = data.quarantine;
  const rows = listed.map((row) => ({ ...row, sources: row.sources.filter(([source]) => !filter.source || source === filter.source) }))
    .filter((row) => row.sources.length).map((row) => ({ ...row, records: sum(row.sources.map(([, records]) => records)) })).sort((a, b) => b.records - a.records);
  if (!rows.length) return none(more ? "nothing of this source among the most frequent failures" : "everything could be read");
  const named = ({ sources }) => sources.slice(0, NAMED_SOURCES).map(([source, records]) => (sources.length > 1 ? `${source} (${whole(records)})` : source)).join(", ")
    + (sources.length > NAMED_SOURCES ? ` and ${whole(sources.length - NAMED_SOURCES)} more` : "");
  return [table(["kind of failure", "records", "sources", "step", "for example"], rows.map((row) =>
    [row.reason, whole(row.records), named(row), row.step, row.sources[0][2] ? el("code", { class: "path", text: row.sources[0][2] }) : "-"]), [0, 2, 3, 4]),
    more ? el("p", { class: "dim" }, ...rich(`${whole(more_records)} ${plural(more_records, "record")} of ${whole(more)} other ${plural(more, "kind")} in all sources: \`corpus stats DIR --by quarantine\` has them.`)) : null];
}
function span(seconds) {
  if (seconds < 120) return `${+seconds.toPrecision(3)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
// What the page is of: in one line, then when and how, as far as it is known.
function madeOf() {
  const { read, kept, tokens } = data.totals, files = sum(data.sources.map((source) => source.files || 0)), bytes = sum(data.sources.map((source) => source.bytes || 0));
  const count = data.sources.length + data.more_sources;
  const input = `${whole(count)} ${plural(count, "source")}${files ? `: ${whole(files)} ${plural(files, "file")}, ${size(bytes)} as stored` : ""}`;
  const lines = [el("p", {}, `Built from ${input}. ${whole(read)} ${plural(read, "document")} read, ${whole(kept)} kept, ${short(tokens)} ${plural(tokens, "token")}.`)];
  const run = data.timings, versions = (run && run.versions) || {}, how = [`corpus ${versions.corpusmill || data.version}`];
  if (run) {
    if (versions.Python) how.push(`Python ${versions.Python}`);
    const workers = Math.max(0, ...(run.stages || []).map((stage) => stage.workers));
    if (workers) how.push(`${whole(workers)} ${plural(workers, "worker")}`);
    how.push(`begun on ${day(1000 * run.began)} UTC`, `took ${span(run.seconds)}${run.state === "done" ? "" : `, ${run.state}`}`);
  } else {
    const written = Date.parse(document.lastModified);
    if (location.protocol === "file:" && Date.now() - written > 2000) how.push(`written on ${day(written)} UTC`);
  }
  lines.push(el("p", { class: "dim" }, `${how.join(" · ")}.`, ...(run ? [] : [" The page is the same for the same input; ", el("code", { text: "corpus report DIR --out FILE" }), " adds the command, its workers and times."])));
  if (run && run.command) lines.push(el("p", { class: "dim command" }, el("code", { text: run.command })));
  return el("div", { class: "made" }, ...lines);
}
function built() {
  const list = (items, more = 0, titles = null) => el("span", {}, ...items.flatMap((item, at) => [at ? ", " : "", el("code", titles ? { text: item, title: titles[at], class: "path" } : { text: item })]), more ? ` and ${whole(more)} more` : "");
  const rows = data.sources.map((s) => [s.name, s.kind, s.files === null ? "-" : whole(s.files), s.bytes === null ? "-" : size(s.bytes), whole(s.read), whole(s.kept), size(s.kept_bytes), short(s.tokens),
    list(s.rules), s.license || "-", list(s.paths, s.more_paths, s.whole_paths)]);
  const manifest = el("details", {}, el("summary", { text: "The manifest, with all defaults" }), el("pre", { tabindex: "0", text: data.manifest }));
  return [table(["source", "kind", "files", "stored", "read", "kept", "text kept", "tokens", "rules", "licence", "paths"], rows, [0, 1, 8, 9, 10]),
    data.more_sources ? el("p", { class: "dim", text: `${whole(data.more_sources)} smaller ${plural(data.more_sources, "source is", "sources are")} left out.` }) : null, manifest];
}
const day = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 16).replace("T", " at ");
function timings() {
  const { state, began, seconds, stages } = data.timings;
  const told = el("p", { text: `The last run that did something began on ${day(1000 * began)} UTC and took ${span(seconds)}${state === "done" ? "" : `; it ${state}`}.` });
  return [told, table(["stage", "time", "processor time", "documents", "documents a second", "processes"], stages.map((row) =>
    [row.stage, span(row.seconds), span(row.cpu_seconds), row.documents ? whole(row.documents) : "-", row.documents && row.seconds ? whole(row.documents / row.seconds) : "-", whole(row.workers)]))];
}

const filter = { source: "", language: "" };
function draw(id) {
  if (!id || id === "rules") charts = [];
  for (const one of sections) if (!id || one.id === id) one.draw();
  pending.splice(0).forEach((fill) => fill());
}
function choose(kind, value) {
  filter[kind] = value;
  chosen = all.filter((g) => (!filter.source || groups[g][0] === filter.source) && (!filter.language || groups[g][1] === filter.language));
  if (!filter.source && !filter.language) chosen = all;
  inChosen = new Set(chosen);
  draw();
}

section("totals", "Totals", "What was read and what is left of it.", headline);
section("alarms", "Alarms", "What deserves a look first, in the whole corpus: the filters do not apply. In commands, DIR is the folder of the workspace.", () => data.alarms.length ? el("ul", { class: "alarms" }, ...data.alarms.map((text) => el("li", {}, ...rich(text)))) : none("none"));
section("built", "Built from", "The sources as the manifest names them; the filters do not apply.", built);
section("funnel", "From records to tokens", "Documents of each source by what became of them.", funnel);
section("languages", "Sources and languages", "The most kept first. The stronger the colour, the more (counts on a logarithmic scale).", heatmap, false);
section("validation", "Validation", "Documents held out of training; their share of what is kept, and the share that was asked for: of whole groups (sites, repositories), and more of small languages; their tokens; and the documents by source.", heldOut, false);
section("mixture", "Mixture", "Built: the part of all tokens in the shards. Planned: the part of the tokens that training draws. Epochs: how often a stream is seen while as many tokens are drawn as there are.", mixture, false);
section("ratio", "Bytes per token", `How well the vocabulary${data.vocabulary ? ` of ${whole(data.vocabulary)}` : ""} fits each language; most tokens first.`, bytesPerToken, false);
section("rules", "Rules", "Each rule with the values of its signal, its cut, and documents on both sides of it. Values between 0 and 1 are spaced evenly, larger ones by doublings.", rules);
section("overlaps", "Rules that fail together", "Of the texts that fail the rule of a row, the percentage that fail the rule of a column too. Rules with 100 somewhere remove nothing that the other does not.", overlaps);
section("duplicates", "Duplicates", "Documents that went for another one, by how they were found and by the size of their cluster.", duplicates);
if ((data.canaries || []).length) section("canaries", "Canaries", "Variants of known likeness made of the corpus's own documents, to see how many MinHash finds: the share that is paired as the banding leads one to expect, and what verification of the signatures leaves. Precision: of the documents that canaries were found alike to, the share that truly are (down to three standard errors below the threshold). No canary is in the corpus or in its counts.", canaries);
if ((data.edits || []).length) section("edits", "Edits", "What was marked in texts: private data, boilerplate and lines by rules in all documents; what kept documents repeat of others: paragraphs, lines of a site and spans. Tokens and exports are without what is cut, and have masks for what is masked. DIR/edits has the place of each; the stored texts are whole, and `corpus sample DIR` strikes through what goes.", edits);
if (data.contamination) section("contamination", "Evaluation items", "Items of evaluation sets in documents, each beside the document that holds it; what both have is bold. Common: in many documents of several sites, which proves nothing. `corpus sample DIR --contaminated` shows more; clear what is none under `decontaminate: {clear: [SET/ITEM]}`.", contamination);
section("domains", "Domains and licences", "The ones with the most documents; the filters do not apply.", () => el("div", { class: "columns" }, el("div", {}, listed(data.domains, "domain", "domain", "none: no address")), el("div", {}, listed(data.licenses, "license", "licence", "none stated"))));
section("quarantine", "Quarantine", "Records that could not be read, by kind of failure; … stands for what differs. DIR/quarantine has the place of each, and `corpus sample DIR --quarantine` shows them.", quarantine);
if (data.timings) section("timings", "Timings", "How long each stage took.", timings);

function selector(kind, at) {
  const text = (name) => (at === 1 && data.names[name] ? `${data.names[name]} (${name})` : name);
  return el("label", {}, `${kind} `, el("select", { id: `by-${kind}`, onchange: (event) => choose(kind, event.target.value) },
    el("option", { value: "", text: "all" }), ...order[at].map((name) => el("option", { value: name, text: text(name) }))));
}
document.body.append(
  el("nav", {}, el("div", {}, selector("source", 0), selector("language", 1), el("span", { class: "links" }, ...sections.map(({ id, title }) => el("a", { href: `#${id}`, text: title }))))),
  el("main", {}, el("h1", { text: data.name }), madeOf(), ...sections.map(({ node }) => node)));
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
