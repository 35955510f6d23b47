"use strict";
// Draws the curves of a run from the numbers in #data. Text is set as text alone, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const COLORS = ["#3b6ea8", "#c4622d", "#3f8f5b", "#8a5aa8", "#b8922e", "#2f8f93", "#b5527a", "#6b7a8f", "#7c5c3e", "#9aa83b"];
const DASHES = [undefined, [6, 4], [2, 3], [10, 3, 2, 3]];
function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
function short(n) {
  for (const unit of ["", "k", "M", "G"]) {
    if (Math.abs(n) < 1000 || unit === "G") return `${+n.toPrecision(3)}${unit}`;
    n /= 1000;
  }
}
const color = (name) => getComputedStyle(document.body).getPropertyValue(name).trim() || getComputedStyle(document.body).color;
function draw(chart, at) {
  const steps = [...new Set(chart.curves.flatMap((curve) => curve.steps))].sort((a, b) => a - b);
  const columns = chart.curves.map((curve) => {
    const known = new Map(curve.steps.map((step, i) => [step, curve.values[i]]));
    return steps.map((step) => known.get(step) ?? null);
  });
  const text = getComputedStyle(document.body).color;
  const axis = { stroke: text, grid: { stroke: "rgba(128,128,128,.25)", width: 1 }, ticks: { stroke: "rgba(128,128,128,.4)" } };
  const host = el("div");
  const section = el("section", { id: `chart-${at}` }, el("h2", { text: chart.title + (chart.unit ? `, ${chart.unit}` : "") }), host);
  document.querySelector("main").append(section);
  const width = () => Math.max(280, section.clientWidth - 8);
  const plot = new uPlot({
    width: width(), height: 280, scales: { x: { time: false }, y: chart.log_scale ? { distr: 3 } : {} },
    axes: [{ ...axis }, { ...axis, size: 64, values: (_, ticks) => ticks.map((n) => (n === null ? "" : short(n))) }],
    series: [{ label: "step" }, ...chart.curves.map((curve, i) => ({
      label: curve.name, stroke: COLORS[i % COLORS.length], width: 1.5, dash: DASHES[Math.floor(i / COLORS.length) % DASHES.length],
      spanGaps: true, points: { show: curve.steps.length < 40 }, value: (_, v) => (v === null ? "-" : String(+v.toPrecision(5))),
    }))],
  }, [steps, ...columns], host);
  window.addEventListener("resize", () => plot.setSize({ width: width(), height: 280 }));
}
document.body.append(el("main", {}, el("h1", { text: data.name }), el("p", { class: "dim", text: data.about })));
data.charts.forEach(draw);
