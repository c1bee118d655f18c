"use strict";
// Shows the answers that zooselect worked out; it works out none itself. A level is looked up
// among the bands, whose edges are open or closed as the data says. Every text of the data is
// set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const KINDS = ["base", "quantized", "pruned", "pruned_quantized", "other"];
  const named = (kind) => kind.replace("_", " + ");
  const level = byId("level");
  let task = null;
  let band = null;
  // Rows of the list that are shown at first.
  const FEW = 12;
  let unfolded = false;
  let sort = { key: "quality", descending: true };

  // Whom to ask for the same: the server of this page, or whoever has its catalog.
  const from =
    data.served && location.protocol.startsWith("http")
      ? ` --catalog ${new URL(".", location.href).href.replace(/\/$/, "")}`
      : data.provenance.source === "snapshot" ? "" : " --catalog PATH_OR_URL";

  if (!data.tasks.length) return;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // A stub may break after a slash; what is copied from it is still the stub.
  function setStub(into, stub) {
    into.replaceChildren();
    stub.split("/").forEach((part, index, parts) => {
      into.append(index + 1 < parts.length ? part + "/" : part);
      if (index + 1 < parts.length) into.append(document.createElement("wbr"));
    });
    return into;
  }

  function holds(one, value) {
    return (
      (one.lower_inclusive ? one.lower <= value : one.lower < value) &&
      (one.upper_inclusive ? value <= one.upper : value < one.upper)
    );
  }

  // --- The level and its answer -------------------------------------------------------------

  function moved() {
    const value = Number(level.value) / 100;
    const found = task.bands.find((one) => holds(one, value));
    const wants = `${found.tier}, ${named(found.optimization)}`;
    byId("readout").textContent = value.toFixed(2);
    level.setAttribute("aria-valuetext", `${value.toFixed(2)}: ${wants}`);
    const asked = task.asked ? ` --dataset ${task.asked}` : "";
    byId("command").textContent = `zooselect resolve ${task.name} -l ${value.toFixed(2)}${asked}${from}`;
    if (found === band) return;
    band = found;
    showPick();
    mark();
  }

  function showPick() {
    const none = band.stub === null;
    byId("asked").textContent = `${band.tier} size, ${named(band.optimization)}`;
    byId("network").textContent = none ? "No model" : band.network;
    byId("copy").hidden = none;
    byId("copy").textContent = "Copy";
    setStub(byId("stub"), none ? "nothing in this catalog can be picked here" : band.stub);
    byId("files").hidden = none || !from;
    byId("download").textContent = none ? "" : `zooselect download ${band.stub}${from}`;
    byId("size").textContent = none ? "-" : band.size;
    byId("metric").textContent = "Quality";
    byId("quality").textContent = band.figure || (none ? "-" : "not on record");
    byId("quality").classList.toggle("unknown", !band.figure);
    byId("scale").textContent = task.metric ? `${task.metric}, 0 to 100` : "no metric for this task";
    byId("on-disk").textContent = band.on_disk || (none ? "-" : "not on record");
    byId("on-disk").classList.toggle("unknown", !band.on_disk);
    byId("got").textContent = none ? "-" : band.got;
    byId("zeros").textContent =
      band.sparsity !== undefined ? `${band.sparsity} % of its weights are zero`
      : !none && band.kind.startsWith("pruned") ? "how far is not stated"
      : none ? "" : "no weights removed";
    byId("words").replaceChildren(
      ...band.words.map((text) => element("li", "", text)),
      ...(task.sizes ? [element("li", "", task.sizes)] : []),
    );
    const next = (band.next || []).map((one) => {
      const item = element("li");
      item.append(setStub(element("code"), one.stub), element("span", "", one.why_not));
      return item;
    });
    byId("next").replaceChildren(...(next.length ? next : [element("li", "", "No other model.")]));
    byId("status").textContent = none
      ? `${band.levels}: no model`
      : `Levels ${band.levels}: ${band.network}, ${band.got}, ${band.size} parameters, quality ` +
        (band.figure || "not on record");
  }

  // Marks the band and its model wherever they are shown.
  function mark() {
    const index = task.bands.indexOf(band);
    [...byId("bands").children].forEach((one, at) => one.classList.toggle("on", at === index));
    const rows = document.querySelectorAll(`#ladder-${task.name} tbody tr`);
    rows.forEach((row, at) => {
      row.classList.toggle("on", at === index);
      if (at === index) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
    for (const row of byId("rows").children) row.classList.toggle("on", row.dataset.stub === band.stub);
    for (const point of byId("plot").querySelectorAll("[data-stub]")) {
      point.classList.toggle("on", point.dataset.stub === band.stub);
    }
  }

  function drawBands() {
    byId("bands").replaceChildren(
      ...task.bands.map((one) => {
        const item = element("li", one.lower === one.upper ? "point" : "");
        item.style.flexGrow = String(one.upper - one.lower);
        // The first band of all is level 0 alone; the next begins right after it.
        const start = one.lower === one.upper || one.lower_inclusive ? "" : "above ";
        item.append(element("i", "", `${start}${one.lower}`));
        item.append(element("b", "", one.tier), element("span", "", named(one.optimization)));
        return item;
      }),
    );
  }

  // --- The plot -----------------------------------------------------------------------------

  function svg(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function shape(kind, x, y, r) {
    const paths = {
      base: `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
      quantized: `M${x - r * 0.9} ${y - r * 0.9}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
      pruned: `M${x} ${y - 1.15 * r}l${1.1 * r} ${1.95 * r}h${-2.2 * r}z`,
      pruned_quantized: `M${x} ${y - 1.25 * r}l${1.25 * r} ${1.25 * r}l${-1.25 * r} ${1.25 * r}l${-1.25 * r} ${-1.25 * r}z`,
    };
    return svg("path", { d: paths[kind] || paths.base, class: `mark ${kind}` });
  }

  function ticks(low, high, wanted) {
    const raw = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(at * step);
    return found;
  }

  function sizeTicks(low, high) {
    const found = [];
    for (let power = -3; power < 8; power += 1) {
      for (const one of [1, 2, 5]) found.push(one * 10 ** power);
    }
    return found.filter((one) => one >= low && one <= high);
  }

  const sizeText = (one) => (one < 1000 ? `${Number(one.toPrecision(3))} M` : `${Number((one / 1000).toPrecision(3))} B`);

  // Where the models stand, by stub: as far aside as it takes for none to hide another. The picks
  // stand where their figures say; where no room is left, the rest is strewn.
  function placesOf(models, x, y, left, right) {
    const picks = new Set(task.bands.map((one) => one.stub));
    const first = [...models].sort((one, other) => picks.has(other.stub) - picks.has(one.stub));
    const places = new Map();
    first.forEach((one, index) => {
      const at = { x: x(one), y: y(one), room: picks.has(one.stub) ? 14 : 7 };
      const free = (tried) =>
        tried >= left && tried <= right &&
        [...places.values()].every((other) => Math.hypot(other.x - tried, other.y - at.y) >= other.room);
      const tried = [0, -7, 7, -14, 14, -21, 21].map((away) => at.x + away).find(free);
      at.x = tried !== undefined ? tried : Math.min(Math.max(at.x + ((index * 0.618) % 1 - 0.5) * 42, left), right);
      places.set(one.stub, at);
    });
    return places;
  }

  // Points along a line, near enough to each other that no label fits between.
  function along(line) {
    const found = [];
    for (let index = 1; index < line.length; index += 1) {
      const [from, to] = [line[index - 1], line[index]];
      const count = Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 6);
      for (let part = 0; part <= count; part += 1) {
        const share = count ? part / count : 0;
        found.push({ x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share });
      }
    }
    return found;
  }

  // Where a label of some width has room beside a step: clear of everything if that can be had,
  // else of all but the models. Boxes are left, top, right, bottom.
  function roomFor(wide, step, taken, models, width, bottom) {
    const near = [];
    for (const away of [0, 10, 20, 30, 40, 50, 60]) {
      for (const [dx, dy] of [[16, -12], [16, 20], [16, 25], [22, 4], [0, -22], [0, 32]]) {
        const [down, across] = [dy + Math.sign(dy - 4) * away, dx && dx + away];
        near.push([across, down, dx ? "start" : "middle"], [dx, down, dx ? "start" : "middle"]);
        if (dx) near.push([-across, down, "end"], [-dx, down, "end"]);
      }
    }
    const boxOf = ([dx, dy, anchor]) => {
      const start = step.x + dx - { start: 0, middle: wide / 2, end: wide }[anchor];
      return [start, step.y + dy - 12, start + wide, step.y + dy + 4];
    };
    const clear = (box) => (one) =>
      box[2] < one[0] || box[0] > one[2] || box[3] < one[1] || box[1] > one[3];
    const fits = (boxes) => (place) => {
      const box = boxOf(place);
      return box[0] > 0 && box[1] > 0 && box[2] < width && box[3] < bottom && boxes.every(clear(box));
    };
    const place = near.find(fits([...taken, ...models])) || near.find(fits(taken)) || near[0];
    taken.push(boxOf(place));
    return [step.x + place[0], step.y + place[1], place[2]];
  }

  let placed = [];

  function drawPlot() {
    const box = byId("plot");
    const width = Math.max(280, box.clientWidth);
    const models = task.models.filter((one) => !one.why_not && one.millions !== undefined);
    placed = [];
    byId("pointed").textContent = "\u00a0";
    if (!models.length) {
      box.replaceChildren();
      return;
    }
    const known = models.filter((one) => one.quality !== undefined);
    const unknown = models.filter((one) => one.quality === undefined);
    const lanes = KINDS.filter((kind) => unknown.some((one) => one.kind === kind));
    const narrow = width < 560;
    const left = 44, right = 18, top = 22, foot = 46;
    const upper = known.length ? (narrow ? 240 : 300) : 0;
    const lane = 34;
    const gap = known.length && lanes.length ? 44 : lanes.length ? 20 : 0;
    const lower = lanes.length * lane;
    const height = top + upper + gap + lower + foot;

    const logs = models.map((one) => Math.log(one.millions));
    const spread = Math.max(Math.max(...logs) - Math.min(...logs), 0.4);
    const middle = (Math.max(...logs) + Math.min(...logs)) / 2;
    const low = middle - spread * 0.56, high = middle + spread * 0.56;
    // Larger models to the left: the ladder then goes the way the level does.
    const x = (millions) => left + ((high - Math.log(millions)) / (high - low)) * (width - left - right);
    const qualities = known.map((one) => one.quality);
    const best = Math.max(...qualities), worst = Math.min(...qualities);
    const margin = Math.max((best - worst) * 0.08, 0.5);
    const y = (quality) => top + ((best + margin - quality) / (best - worst + 2 * margin)) * upper;
    const laneOf = (kind) => top + upper + gap + (lanes.indexOf(kind) + 0.5) * lane;
    const places = placesOf(
      models, (one) => x(one.millions),
      (one) => (one.quality !== undefined ? y(one.quality) : laneOf(one.kind)), left, width - right,
    );
    const at = (one) => places.get(one.stub);

    const root = svg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `${models.length} models by size and quality; the list below has the same figures.`,
    });
    // What labels keep clear of: left, top, right, bottom.
    const taken = [];
    function title(x, y, text) {
      root.append(svg("text", { x, y, class: "axis" }, text));
      taken.push([x, y - 12, x + text.length * 6.6, y + 4]);
    }
    let last = Infinity;
    for (const one of sizeTicks(Math.exp(low), Math.exp(high)).reverse()) {
      const across = x(one);
      root.append(svg("line", { x1: across, x2: across, y1: top, y2: height - foot + 6, class: "grid" }));
      if (last === Infinity || across - last > 46) {
        root.append(svg("text", { x: across, y: height - foot + 22, class: "tick middle" }, sizeText(one)));
        taken.push([across - 22, height - foot + 13, across + 22, height - foot + 24]);
        last = across;
      }
    }
    if (known.length) {
      for (const one of ticks(worst - margin, best + margin, 5)) {
        root.append(
          svg("line", { x1: left, x2: width - right, y1: y(one), y2: y(one), class: "grid" }),
          svg("text", { x: left - 8, y: y(one) + 4, class: "tick end" }, String(Number(one.toPrecision(4)))),
        );
      }
      const cut = worst > margin ? " (axis does not start at 0)" : "";
      title(2, 12, `quality: ${task.metric}${cut}`);
    }
    if (lanes.length) {
      const start = top + upper + gap;
      title(2, start - 8, task.metric ? "quality not on record" : "no metric for this task");
      lanes.forEach((kind, index) => {
        root.append(svg("rect", {
          x: left, y: start + index * lane + 2, width: width - left - right, height: lane - 4, rx: 4, class: "lane",
        }));
        root.append(shape(kind, left - 20, start + (index + 0.5) * lane, 5));
      });
    }
    root.append(svg("text", { x: left, y: height - 4, class: "axis" }, "\u2190 larger"));
    root.append(svg("text", { x: width - right, y: height - 4, class: "axis end" }, "smaller \u2192"));
    root.append(svg("text", { x: (left + width - right) / 2, y: height - 4, class: "axis middle" }, narrow ? "size" : "size in parameters, on a log scale"));

    // The ladder: from pick to pick as the level goes up.
    const steps = [];
    for (const one of task.bands) {
      if (one.stub === null) continue;
      const step = steps.find((other) => other.stub === one.stub);
      if (step) step.to = one;
      else steps.push({ ...at(one), stub: one.stub, kind: one.kind, from: one, to: one });
    }
    const line = task.bands.filter((one) => one.stub !== null).map(at);
    root.append(svg("polyline", { points: line.map((one) => `${one.x},${one.y}`).join(" "), class: "path" }));
    for (const one of models) {
      const place = at(one);
      const point = shape(one.kind, place.x, place.y, 5);
      point.dataset.stub = one.stub;
      root.append(point);
      placed.push({ ...place, one });
    }
    taken.push(...steps.map((step) => [step.x - 12, step.y - 12, step.x + 12, step.y + 12]));
    const around = (one) => [one.x - 4, one.y - 4, one.x + 4, one.y + 4];
    taken.push(...along(line).map(around));
    const drawn = [...places.values()].map(around);
    // From left to right: who stands at the edge has fewest places for a label.
    steps.sort((one, other) => one.x - other.x);
    const points = steps.map((step) => {
      const point = shape(step.kind, step.x, step.y, 8.5);
      point.classList.add("step");
      point.dataset.stub = step.stub;
      root.append(svg("circle", { cx: step.x, cy: step.y, r: 15, class: "halo", "data-stub": step.stub }), point);
      return point;
    });
    steps.forEach((step, index) => {
      const one = step.from.lower === step.to.upper;
      const text = one ? `${step.to.upper}` : `${step.from.lower} \u2013 ${step.to.upper}`;
      const label = svg("text", { class: "level", "data-stub": step.stub }, text);
      const [x, y, anchor] = roomFor(text.length * 7.2, step, taken, drawn, width, height - foot + 14);
      label.setAttribute("x", x);
      label.setAttribute("y", y);
      label.setAttribute("text-anchor", anchor);
      points[index].after(label);
    });
    box.replaceChildren(root);
  }

  function pointAt(event) {
    const root = byId("plot").querySelector("svg");
    if (!root) return;
    const box = root.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let nearest = null, distance = 24;
    for (const one of placed) {
      const away = Math.hypot(one.x - x, one.y - y);
      if (away < distance) [nearest, distance] = [one.one, away];
    }
    if (!nearest) return;
    const into = setStub(byId("pointed"), nearest.stub);
    into.append(` \u00b7 ${sizeText(nearest.millions)} \u00b7 quality ${nearest.figure || "not on record"}`);
  }

  function drawLegend() {
    const shown = KINDS.filter((kind) => task.models.some((one) => !one.why_not && one.kind === kind));
    byId("legend").replaceChildren(
      ...shown.map((kind) => {
        const item = element("li");
        const icon = svg("svg", { width: 16, height: 16, "aria-hidden": "true" });
        icon.append(shape(kind, 8, 8, 5));
        item.append(icon, named(kind));
        return item;
      }),
    );
    const trainedOn = task.dataset ? ` trained on ${task.dataset}` : "";
    byId("plot-about").textContent =
      `Every model${trainedOn} that may be picked. The line is the ladder, from level 0 to 1; the ` +
      "marked points on it are the picks, with their levels.";
  }

  // --- The list of models -------------------------------------------------------------------

  function option(value, text) {
    const made = element("option", "", text);
    made.value = value;
    return made;
  }

  function drawRows() {
    const kinds = KINDS.filter((kind) => task.models.some((one) => one.kind === kind));
    byId("by-kind").replaceChildren(option("", "any"), ...kinds.map((kind) => option(kind, named(kind))));
    const sets = [...new Set(task.models.map((one) => one.dataset))].sort();
    byId("by-dataset").replaceChildren(option("", "any"), ...sets.map((one) => option(one, one)));
    byId("by-dataset").parentElement.hidden = sets.length < 2;
    const list = [...task.models].sort(compare);
    byId("rows").replaceChildren(...list.map(row));
    filter();
  }

  function compare(one, other) {
    const value = (model) => {
      if (sort.key === "kind") return KINDS.indexOf(model.kind);
      if (sort.key === "confidence") return ["high", "medium", "low"].indexOf(model.confidence);
      return model[sort.key];
    };
    const [mine, its] = [value(one), value(other)];
    // What is not on record stays last, whichever way round.
    if (mine === undefined || its === undefined) return (mine === undefined) - (its === undefined);
    const order = mine < its ? -1 : mine > its ? 1 : 0;
    return (sort.descending ? -order : order) || (one.stub < other.stub ? -1 : 1);
  }

  function row(model) {
    const made = element("tr");
    made.setAttribute("role", "row");
    made.dataset.stub = model.stub;
    // On a narrow screen a figure stands alone, and says itself what it is.
    const cell = (className, text, before, after) => {
      const one = element("td", className, text === undefined ? "\u2013" : text);
      one.setAttribute("role", "cell");
      if (before) one.dataset.before = before;
      if (after) one.dataset.after = after;
      if (text === undefined) one.classList.add("absent");
      made.append(one);
      return one;
    };
    const number = (value) => (value === undefined ? value : String(Number(value.toPrecision(4))));
    const name = cell("name", "");
    name.append(element("b", "", model.network), " ", setStub(element("code"), model.stub));
    if (model.why_not) name.append(element("span", "why-not", model.why_not));
    cell("", "").append(element("span", `kind ${model.kind}`, named(model.kind)));
    cell("number", number(model.sparsity), "", "% zeros");
    cell("number", number(model.millions), "", "M");
    cell("number", model.bytes === undefined ? undefined : number(model.bytes / 1e6), "", "MB on disk");
    cell("number", model.figure, "quality");
    cell("", model.confidence, "confidence");
    return made;
  }

  function filter() {
    const name = byId("by-name").value.trim().toLowerCase();
    const kind = byId("by-kind").value;
    const set = byId("by-dataset").value;
    const most = (id) => (byId(id).value === "" ? Infinity : Number(byId(id).value));
    const millions = most("by-size"), bytes = most("by-bytes") * 1e6;
    // What is not on record is not known to be within a limit.
    const within = (value, limit) => limit === Infinity || (value !== undefined && value <= limit);
    const models = new Map(task.models.map((one) => [one.stub, one]));
    let passed = 0;
    for (const one of byId("rows").children) {
      const model = models.get(one.dataset.stub);
      const passes =
        model.stub.toLowerCase().includes(name) &&
        (!kind || model.kind === kind) &&
        (!set || model.dataset === set) &&
        within(model.millions, millions) &&
        within(model.bytes, bytes) &&
        (!byId("by-quality").checked || model.quality !== undefined) &&
        (!byId("by-candidate").checked || !model.why_not);
      passed += passes ? 1 : 0;
      one.hidden = !passes || (passed > FEW && !unfolded);
    }
    byId("unfold").hidden = unfolded || passed <= FEW;
    byId("unfold").textContent = `Show all ${passed}`;
    const cut = task.total > task.models.length ? ` The catalog has ${task.total}; zooselect search lists them all.` : "";
    byId("count").textContent = `${passed} of ${task.models.length} models.${cut}`;
  }

  function sortBy(button) {
    const key = button.dataset.sort;
    const high = ["sparsity", "millions", "bytes", "quality"].includes(key);
    sort = { key, descending: sort.key === key ? !sort.descending : high };
    for (const head of document.querySelectorAll("#models th")) head.removeAttribute("aria-sort");
    button.parentElement.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
    const rows = new Map([...byId("rows").children].map((one) => [one.dataset.stub, one]));
    byId("rows").append(...[...task.models].sort(compare).map((one) => rows.get(one.stub)));
    filter();
  }

  // --- Start --------------------------------------------------------------------------------

  function choose(name) {
    task = data.tasks.find((one) => one.name === name) || data.tasks[0];
    band = null;
    unfolded = false;
    byId("task").value = task.name;
    for (const one of document.querySelectorAll(".ladder")) one.hidden = one.id !== `ladder-${task.name}`;
    drawBands();
    drawLegend();
    drawPlot();
    drawRows();
    moved();
  }

  // The address names a task and a level, `#question_answering/0.75`, to be passed on.
  function follow() {
    const [name, value] = location.hash.slice(1).split("/");
    const hundredths = Math.round(Number(value) * 100);
    level.value = value && hundredths >= 0 && hundredths <= 100 ? hundredths : data.optim_level * 100;
    choose(name);
  }

  function remember() {
    try {
      history.replaceState(null, "", `#${task.name}/${(Number(level.value) / 100).toFixed(2)}`);
    } catch {
      // Some browsers refuse when it comes too often; the page is none the worse.
    }
  }

  async function copy() {
    const button = byId("copy");
    try {
      await navigator.clipboard.writeText(band.stub);
    } catch {
      // No clipboard for pages of plain http: select the stub, and copy the old way.
      const range = document.createRange();
      range.selectNodeContents(byId("stub"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (!document.execCommand("copy")) return;
    }
    button.textContent = "Copied";
    byId("status").textContent = "Stub copied";
  }

  for (const one of document.querySelectorAll(".needs-script")) one.hidden = false;
  level.addEventListener("input", moved);
  level.addEventListener("change", remember);
  byId("task").addEventListener("change", (event) => {
    choose(event.target.value);
    remember();
  });
  byId("copy").addEventListener("click", copy);
  byId("filters").addEventListener("input", filter);
  byId("unfold").addEventListener("click", () => {
    unfolded = true;
    filter();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("models").tHead.addEventListener("click", (event) => {
    if (event.target.dataset.sort) sortBy(event.target);
  });
  byId("plot").addEventListener("pointermove", pointAt);
  byId("plot").addEventListener("pointerdown", pointAt);
  addEventListener("hashchange", follow);
  follow();
  let width = byId("plot").clientWidth;
  new ResizeObserver(() => {
    if (byId("plot").clientWidth === width) return;
    width = byId("plot").clientWidth;
    drawPlot();
    mark();
  }).observe(byId("plot"));
})();
