// Curves to look at closely, drawn by uPlot in place of the figures' drawings, which stay for print. A name hides and
// shows its arm, dragging zooms, a double click or Escape goes back; arrow keys read values, + and - zoom.
"use strict";
(() => {
  const COLOURS = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494", "#56b4e9", "#b39b00", "#e07bb0"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [12, 4, 2, 4, 2, 4]];
  const HEIGHT = 260;
  const data = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const element = (name, parent, properties = {}) => parent.appendChild(Object.assign(document.createElement(name), properties));
  const shown = (value, percent) =>
    value == null ? "–" : percent ? `${(100 * value).toFixed(2)} %` : String(Number(value.toPrecision(4)));

  class Chart {
    constructor(figure, name, panels) {
      Object.assign(this, { ...data[name], log: false, single: false, hidden: new Set(), plots: [] });
      this.panels = this.panels.slice(0, panels || this.panels.length);
      this.box = element("div", figure, { className: "chart" });
      figure.prepend(this.box);
      const tools = element("div", this.box, { className: "tools" });
      this.button(tools, "Logarithmic", "log");
      this.button(tools, "Single seeds", "single");
      element("button", tools, { type: "button", textContent: "Whole range" }).onclick = () => this.draw();
      this.names = this.arms.map((title, arm) => this.legend(title, arm));
      this.area = element("div", this.box, { className: "panels" });
      figure.classList.add("alive");
      this.draw();
      new ResizeObserver(() => this.resize()).observe(this.area);
      dark.addEventListener("change", () => this.draw());
    }

    button(parent, text, key) {
      const button = element("button", parent, { type: "button", textContent: text, ariaPressed: "false" });
      button.onclick = () => {
        this[key] = !this[key];
        button.ariaPressed = String(this[key]);
        this.draw();
      };
    }

    legend(title, arm) {
      this.list ??= element("div", this.box, { className: "arms", role: "group", ariaLabel: "Arms: press to hide or show" });
      const button = element("button", this.list, { type: "button", ariaPressed: "true" });
      button.innerHTML = `<svg viewBox="0 0 24 6" aria-hidden="true"><path d="M0 3H24" stroke="${COLOURS[arm % COLOURS.length]}" stroke-dasharray="${DASHES[arm % DASHES.length]}"/></svg>`;
      element("span", button, { textContent: title });
      button.onclick = () => {
        this.hidden[this.hidden.has(arm) ? "delete" : "add"](arm);
        button.ariaPressed = String(!this.hidden.has(arm));
        for (const plot of this.plots)
          plot.series.forEach((series, index) => {
            if (series.arm === arm) plot.setSeries(index, { show: !this.hidden.has(arm) });
          });
      };
      return button;
    }

    draw() {
      for (const plot of this.plots) plot.destroy();
      this.area.replaceChildren();
      this.plots = this.panels.map((panel) => this.panel(panel));
    }

    panel(panel) {
      const series = [{ label: "Epoch" }], values = [panel.epochs], bands = [];
      panel.arms.forEach((curves, arm) => {
        const colour = COLOURS[arm % COLOURS.length];
        const add = (curve, options) => {
          values.push(curve);
          series.push({ arm, stroke: colour, show: !this.hidden.has(arm), points: { show: panel.epochs.length < 3 }, ...options });
        };
        if (this.single) {
          for (const seed of curves.seeds) add(seed, { width: 1 });
        } else {
          add(curves.high, { width: 0 });
          add(curves.low, { width: 0 });
          bands.push({ series: [series.length - 2, series.length - 1], fill: `${colour}26` });
          add(curves.mean, { width: 2, dash: DASHES[arm % DASHES.length], mean: true });
        }
      });
      const frame = element("div", this.area, { className: "panel", tabIndex: 0, role: "group" });
      frame.ariaLabel = `${panel.title} over epochs of ${this.arms.join(", ")}. Arrow keys read values, plus and minus zoom, Escape shows all.`;
      element("h4", frame, { textContent: panel.title });
      const style = getComputedStyle(document.body);
      const axis = { stroke: style.color, grid: { stroke: "#88888840", width: 1 }, ticks: { stroke: "#88888880", width: 1 } };
      const plot = new uPlot({
        width: this.width(), height: HEIGHT, series, bands, legend: { show: false },
        scales: { x: { time: false }, y: { distr: this.log ? 3 : 1, range: this.range(panel) } },
        axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100] }, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => tick == null ? "" : panel.percent ? `${+(100 * tick).toFixed(2)} %` : String(+tick.toPrecision(6))) }],
        cursor: { drag: { x: true, y: true, uni: 24 }, focus: { prox: 24 } },
        focus: { alpha: 0.35 },
        hooks: {
          setCursor: [(drawn) => this.read(drawn, panel, values, note)],
          // For those who use the page by another program, which cannot read a canvas.
          setScale: [({ scales }, key) => { frame.dataset[key] = `${scales[key].min} ${scales[key].max}`; }],
        },
      }, values, frame);
      const note = element("output", frame, { className: "reading-off" });
      frame.onkeydown = (event) => this.key(event, plot, panel);
      return plot;
    }

    // The range of what is measured: an interval of few seeds would dwarf it.
    range(panel) {
      const measured = panel.arms.flatMap((arm) => (arm.seeds.length ? arm.seeds.flat() : arm.mean));
      const finite = measured.filter((value) => value != null && (!this.log || value > 0));
      if (!finite.length) return undefined;
      const low = finite.reduce((a, b) => Math.min(a, b)), high = finite.reduce((a, b) => Math.max(a, b));
      const space = 0.06 * (high - low) || Math.abs(high) / 10 || 1;
      const whole = this.log ? [low * 0.9, high * 1.1] : [low - space, high + space];
      return () => whole;
    }

    read(plot, panel, values, note) {
      const index = plot.cursor.idx;
      if (note === undefined || index == null) return;
      const parts = plot.series.flatMap((series, at) =>
        series.mean && series.show ? [`${this.arms[series.arm]} ${shown(values[at][index], panel.percent)}`] : []);
      note.textContent = `Epoch ${panel.epochs[index]}${parts.length ? `: ${parts.join("; ")}` : ""}`;
    }

    key(event, plot, panel) {
      const epochs = panel.epochs, last = epochs.length - 1;
      const at = plot.cursor.idx ?? 0;
      const { min, max } = plot.scales.x;
      const zoom = (factor) => {
        const middle = epochs[at], half = ((max - min) / 2) * factor;
        plot.setScale("x", { min: Math.max(middle - half, epochs[0]), max: Math.min(middle + half, epochs[last]) });
      };
      const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -last, End: last };
      if (event.key in moves) {
        const index = Math.min(Math.max(at + moves[event.key], 0), last);
        plot.setCursor({ left: plot.valToPos(epochs[index], "x"), top: 1 });
      } else if (event.key === "+") zoom(0.5);
      else if (event.key === "-") zoom(2);
      else if (event.key === "Escape") this.draw();
      else return;
      event.preventDefault();
    }

    width() {
      const across = this.panels.length > 1 && this.area.clientWidth > 640 ? 2 : 1;
      return Math.max(Math.floor(this.area.clientWidth / across) - 12, 200);
    }

    resize() {
      const width = this.width();
      for (const plot of this.plots) if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
    }
  }

  // Each chart is made when it is about to be seen.
  const waiting = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      waiting.unobserve(target);
      new Chart(target, target.dataset.chart.slice("figure-".length), Number(target.dataset.panels));
    }
  }, { rootMargin: "600px" });
  for (const name of Object.keys(data)) {
    const figure = document.getElementById(`figure-${name}`);
    if (figure) figure.dataset.chart = figure.id;
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) waiting.observe(figure);
})();
