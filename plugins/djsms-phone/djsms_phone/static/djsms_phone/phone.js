// The page that plays the phones: it shows what the server tells, and makes the network's calls.
// What comes from a text is only ever put in as text, never as markup.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = {
    // a browser may keep nothing, and the page works all the same
    get(store, name) { try { return store.getItem(`djsms-phone.${name}`); } catch { return null; } },
    set(store, name, value) { try { store.setItem(`djsms-phone.${name}`, value); } catch { /* as above */ } },
  };
  // before anything is drawn, or a dark page would flash white
  const theme = kept.get(localStorage, "theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  document.addEventListener("DOMContentLoaded", () => {
    const $ = (id) => document.getElementById(id);
    const state = JSON.parse($("state").textContent);
    const { words, addresses } = state;
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    const say = (name, ...values) =>
      values.reduce((text, value, i) => text.replace(`%${i + 1}`, () => value).replace("%s", () => value), words[name]);
    const wide = matchMedia("(min-width: 1280px)");
    const narrow = matchMedia("(max-width: 759px)");
    const open = state.open;
    const base = open === null ? "" : `${addresses.page}h/${open}/`;

    const el = (tag, className, ...children) => {
      const made = document.createElement(tag);
      if (className) made.className = className;
      made.append(...children);
      return made;
    };
    const slot = (item, name) => item.querySelector(`[data-slot="${name}"]`);
    // changes the text node that is there, so that a live region has no new node to read out
    const put = (item, name, value) => {
      const place = slot(item, name);
      if (place.textContent === value) return;
      if (place.firstChild?.nodeType === Node.TEXT_NODE && place.childNodes.length === 1 && value) place.firstChild.data = value;
      else place.textContent = value;
    };
    const post = (address, values) =>
      fetch(address, {
        method: "POST", cache: "no-store", headers: { Accept: "application/json" },
        body: new URLSearchParams({ ...values, csrfmiddlewaretoken: token }),
      });

    // ---- times, in the browser's own zone
    const locale = navigator.languages.find((tag) => tag.split("-")[0] === root.lang.split("-")[0]) ?? (root.lang || undefined);
    const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
    const exact = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const day = new Intl.DateTimeFormat(locale, { weekday: "short", hour: "2-digit", minute: "2-digit" });
    const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
    const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });
    const ago = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
    const age = (moment) => {
      const seconds = (Date.now() - moment) / 1000;
      if (seconds < 60) return ago.format(0, "second");
      if (seconds < 3600) return ago.format(-Math.floor(seconds / 60), "minute");
      if (seconds < 86400) return ago.format(-Math.floor(seconds / 3600), "hour");
      return date.format(moment);
    };
    const told = (moment) => (Date.now() - moment < 72000000 ? clock : Date.now() - moment < 518400000 ? day : date).format(moment);
    const dress = (time, format) => {
      const moment = new Date(time.getAttribute("datetime"));
      if (Number.isNaN(moment.getTime())) return;
      const shown = format(moment);
      if (time.textContent !== shown) time.textContent = shown;
      time.title = full.format(moment);
    };
    const dressRows = () => document.querySelectorAll("#rows time").forEach((time) => dress(time, age));
    const dressAll = () => {
      dressRows();
      document.querySelectorAll(".bubble time").forEach((time) => dress(time, told));
      document.querySelectorAll("#calls time").forEach((time) => dress(time, (m) => exact.format(m)));
    };
    setInterval(dressRows, 30000);

    // ---- one polite line for readers, at most once a second
    const lines = [];
    let speaking = null;
    const announce = (line) => {
      if (lines.at(-1) !== line) lines.push(line);
      if (speaking) return;
      const next = () => {
        speaking = lines.length ? setTimeout(next, 1000) : null;
        if (lines.length) $("status").textContent = lines.splice(0).at(-1);
      };
      next();
    };

    // ---- the list of phones
    const rows = $("rows");
    const known = new Map();
    let searched = "";
    let unsorted = false;
    // rows must not slip away under the pointer or the focus
    const frozen = () => rows.matches(":hover") || rows.contains(document.activeElement);
    const sort = () => {
      if (frozen()) { unsorted = true; return; }
      unsorted = false;
      const wanted = [...rows.children].sort((a, b) => (a.dataset.active < b.dataset.active ? 1 : -1));
      wanted.forEach((row, i) => { if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null); });
    };
    const sortLater = () => { if (unsorted) setTimeout(sort, 100); };
    rows.addEventListener("pointerleave", sortLater);
    rows.addEventListener("focusout", sortLater);
    const fillRow = (row, values) => {
      row.dataset.id = values.id;
      row.dataset.active = values.active;
      const link = row.firstElementChild;
      link.href = `${addresses.page}h/${values.id}/`;
      if (values.id === open) link.setAttribute("aria-current", "page");
      put(row, "number", values.number);
      put(row, "last", values.last);
      put(row, "mode", values.mode);
      const unread = slot(row, "unread");
      unread.hidden = !values.unread;
      unread.textContent = values.unread ? say("unread", values.unread) : "";
      row.dataset.unread = values.unread;
      slot(row, "at").setAttribute("datetime", values.at);
      dress(slot(row, "at"), age);
    };
    const makeRow = (values) => {
      const row = $("row-template").content.firstElementChild.cloneNode(true);
      fillRow(row, values);
      return row;
    };
    const rowOf = (id) => rows.querySelector(`:scope > [data-id="${id}"]`);
    const countUnread = () => {
      let sum = 0;
      for (const row of rows.children) sum += Number(row.dataset.unread);
      document.title = sum ? `(${sum}) ${words.title}` : words.title;
    };
    const applyRows = (found) => {
      let news = false;
      for (const values of found) {
        const print = JSON.stringify(values);
        if (known.get(values.id) === print) continue;
        const before = known.has(values.id) ? JSON.parse(known.get(values.id)) : null;
        known.set(values.id, print);
        news = true;
        const row = rowOf(values.id);
        if (row) fillRow(row, values);
        else if (!searched) rows.prepend(makeRow(values));
        if (values.id === open) applyBehaviour(values);
        else if (values.unread > (before?.unread ?? 0)) announce(say("arrived", values.number));
      }
      if (news) { $("no-rows").hidden = rows.children.length > 0; if (!searched) sort(); countUnread(); }
      return news;
    };
    const showRows = (answer, append) => {
      if (!append) rows.replaceChildren();
      for (const values of answer.rows) if (!rowOf(values.id)) rows.append(makeRow(values));
      $("more-phones").hidden = !answer.more;
      $("no-rows").hidden = rows.children.length > 0;
      if (searched) $("no-rows").textContent = words.none;
      countUnread();
    };
    const fetchRows = async (append) => {
      const query = new URLSearchParams();
      if (searched) query.set("q", searched);
      if (append && rows.lastElementChild) query.set("before", rows.lastElementChild.dataset.active);
      const asked = searched;
      const answer = await fetch(`${addresses.phones}?${query}`, { cache: "no-store" });
      if (answer.ok && asked === searched) showRows(await answer.json(), append);
    };
    $("more-phones").hidden = !state.more.phones;
    $("more-phones").addEventListener("click", () => fetchRows(true));
    let typing = null;
    $("q").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => { searched = $("q").value.trim(); fetchRows(false); }, 200);
    });
    $("search").addEventListener("submit", (event) => { event.preventDefault(); rows.querySelector("a")?.focus(); });
    $("new-phone").addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await post(addresses.phones, { number: $("number").value });
      const values = await answer.json();
      if (answer.ok) { go(values.address); return; }
      $("number-problem").textContent = values.problems?.number ?? "";
      $("number").setAttribute("aria-invalid", "true");
      $("number").focus();
    });

    // ---- going to another phone: not in the midst of a call, or the call would be made again
    let playing = null;
    const list = document.querySelector("#phones .scroll");
    const go = async (address) => {
      kept.set(sessionStorage, "scroll", String(list.scrollTop));
      if (playing) await playing;
      location.assign(address);
    };
    rows.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(link.href);
    });
    list.scrollTop = Number(kept.get(sessionStorage, "scroll")) || 0;
    rows.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

    // ---- the conversation
    const texts = $("texts");
    const scroll = $("scroll");
    const seen = new Map();
    let newest = 0;
    let missed = 0;
    let chosen = location.hash.startsWith("#t=") ? location.hash.slice(3) : "";
    let follows = !chosen;
    const bubbleOf = (ref) => scroll?.querySelector(`.bubble[data-ref="${CSS.escape(ref)}"]`);
    const isBelow = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 100;
    const down = () => { scroll.scrollTop = scroll.scrollHeight; missed = 0; $("to-newest").hidden = true; };
    const fillBubble = (item, values) => {
      put(item, "sign", values.sign);
      put(item, "word", values.word);
      slot(item, "status").className = `status ${values.tone}`;
    };
    const makeBubble = (values) => {
      const item = $("bubble-template").content.firstElementChild.cloneNode(true);
      item.className = `bubble ${values.mine ? "mine" : "theirs"}`;
      item.dataset.ref = values.ref;
      item.dataset.id = values.id;
      put(item, "who", values.mine ? words.mine : say("from", values.frm));
      put(item, "frm", values.mine ? "" : values.frm);
      put(item, "text", values.text);
      put(item, "segments", values.segments);
      const copy = slot(item, "code");
      copy.hidden = !values.code;
      copy.value = values.code;
      copy.textContent = values.code ? say("copy", values.code) : "";
      slot(item, "at").setAttribute("datetime", values.at);
      dress(slot(item, "at"), told);
      fillBubble(item, values);
      return item;
    };
    const applyTexts = (found) => {
      let news = false;
      for (const values of found) {
        const print = JSON.stringify(values);
        if (seen.get(values.ref) === print) continue;
        const isNew = !bubbleOf(values.ref);
        seen.set(values.ref, print);
        news = true;
        if (isNew) {
          const stay = isBelow();
          texts.append(makeBubble(values));
          while (texts.children.length > 500) texts.firstElementChild.remove();
          if (stay || values.mine) down();
          else { missed += 1; $("to-newest").textContent = `${say("new", missed)} ↓`; $("to-newest").hidden = false; }
          if (!values.mine) remember(values);
          if (follows && wide.matches && !values.mine) choose(values.ref, false);
        } else {
          fillBubble(bubbleOf(values.ref), values);
          if (values.final && !values.mine) announce(say("stands", values.word, document.querySelector("#heading").textContent));
        }
        if (values.ref === chosen) showWay();
      }
      if (news) markRead();
      return news;
    };
    const markRead = () => {
      const last = Math.max(0, ...[...texts.children].map((item) => Number(item.dataset.id)));
      if (document.hidden || last <= newest) return;
      newest = last;
      post(`${base}read/`, { upto: last }).catch(() => { newest = 0; });
    };
    const choose = (ref, byHand) => {
      if (byHand) { follows = false; history.replaceState(null, "", `#t=${ref}`); }
      chosen = ref;
      scroll.querySelectorAll(".stands").forEach((button) =>
        button.setAttribute("aria-pressed", String(button.closest(".bubble").dataset.ref === ref)));
      showWay();
    };
    const showWay = async () => {
      const ref = chosen;
      const answer = await fetch(`${addresses.page}text/${encodeURIComponent(ref)}/`, { cache: "no-store" });
      if (!answer.ok || ref !== chosen) return;
      const way = await answer.json();
      const facts = el("dl", "facts");
      for (const [name, value] of way.facts) facts.append(el("dt", "", name), el("dd", "", el("bdi", "", value)));
      const events = el("ol", "events");
      for (const event of way.events) {
        const time = el("time");
        time.setAttribute("datetime", event.at);
        dress(time, (m) => exact.format(m));
        const item = el("li", event.tone, el("b", "", `${event.sign} ${event.word}`), " ", time, el("br"),
          el("span", "", [event.source, event.part ? say("part", event.part) : "", event.price].filter(Boolean).join(" · ")));
        if (event.error) item.append(el("br"), event.error);
        if (event.id) item.append(el("span", "id", event.id));
        events.append(item);
      }
      $("way-body").replaceChildren(el("p", `way-now ${way.tone}`, `${way.sign} ${way.word}`), events, el("br"), facts);
    };
    if (scroll) {
      scroll.addEventListener("click", async (event) => {
        const button = event.target.closest("button");
        if (button?.classList.contains("stands")) {
          choose(button.closest(".bubble").dataset.ref, true);
          if (!wide.matches) openSide(button);
        } else if (button?.classList.contains("copy")) {
          try { await navigator.clipboard.writeText(button.value); announce(words.copied); } catch { /* the code stands there */ }
        }
      });
      let atEnd = true;
      const measured = () => `${scroll.clientWidth} ${scroll.clientHeight}`;
      let size = measured();
      scroll.addEventListener("scroll", () => {
        if (size !== measured()) return; // not scrolled, but of another size, see below
        atEnd = isBelow();
        if (atEnd) { missed = 0; $("to-newest").hidden = true; }
      }, { passive: true });
      // a keyboard that opens, or a phone that is turned, must not hide the newest text
      new ResizeObserver(() => { size = measured(); if (atEnd) down(); }).observe(scroll);
      $("to-newest").addEventListener("click", down);
      $("more-texts").hidden = !state.more.texts;
      $("more-texts").addEventListener("click", async () => {
        const first = $("older").firstElementChild ?? texts.firstElementChild;
        const answer = await fetch(`${base}texts/?before=${first.dataset.id}`, { cache: "no-store" });
        if (!answer.ok) return;
        const found = await answer.json();
        const height = scroll.scrollHeight;
        $("older").prepend(...found.texts.map(makeBubble));
        scroll.scrollTop += scroll.scrollHeight - height;
        $("more-texts").hidden = !found.more;
      });
    }

    // ---- what the application was told
    const calls = $("calls");
    const applyCalls = (found) => {
      let news = false;
      for (const values of [...found].reverse()) {
        if (calls.querySelector(`:scope > [data-id="${values.id}"]`)) continue;
        news = true;
        const item = $("call-template").content.firstElementChild.cloneNode(true);
        item.dataset.id = values.id;
        item.className = values.good ? "good" : "bad";
        for (const name of ["what", "answer", "address", "problem"]) put(item, name, values[name]);
        put(item, "ms", String(values.ms));
        put(item, "tries", values.tries ? say("try", values.tries + 1) : "");
        put(item, "body", values.json);
        slot(item, "at").setAttribute("datetime", values.at);
        dress(slot(item, "at"), (m) => exact.format(m));
        calls.prepend(item);
        while (calls.children.length > 200) calls.lastElementChild.remove();
      }
      if (news) $("no-calls").hidden = true;
      return news;
    };

    // ---- the network's behaviour
    const network = $("network");
    let behaviour = state.behaviour;
    let nextBehaviour = state.next;
    let everybody = state.everybody;
    const label = (value) => document.querySelector(`label[for="b-${CSS.escape(value)}"]`)?.textContent ?? value;
    const showBehaviour = () => {
      const all = network.elements.scope.value === "all";
      const next = !all && network.elements.next?.checked;
      if (network.elements.next) network.elements.next.disabled = all;
      const value = all ? everybody : next ? nextBehaviour : behaviour;
      for (const radio of network.elements.behaviour) radio.checked = radio.value === value;
      $("everybody").hidden = everybody === "delivers";
      $("everybody-words").textContent = say("all", label(everybody));
      if ($("mode")) $("mode").textContent = [behaviour === "delivers" ? "" : label(behaviour), nextBehaviour ? `→ ${label(nextBehaviour)}` : ""].join(" ").trim();
    };
    const applyBehaviour = (values) => { behaviour = values.behaviour; nextBehaviour = values.next; showBehaviour(); };
    const setBehaviour = async (value, all, next) => {
      const answer = await post(all ? addresses.switch_all : `${base}network/`, next ? { behaviour: value, next: "1" } : { behaviour: value });
      if (!answer.ok) return;
      if (all) { everybody = value; behaviour = value; nextBehaviour = ""; }
      else if (next) nextBehaviour = value;
      else { behaviour = value; nextBehaviour = ""; }
      showBehaviour();
      soon();
    };
    network.addEventListener("change", (event) => {
      const all = network.elements.scope.value === "all";
      if (event.target.name === "behaviour") setBehaviour(event.target.value, all, !all && network.elements.next?.checked);
      else showBehaviour();
    });
    network.addEventListener("submit", (event) => event.preventDefault());
    $("reset").addEventListener("click", () => setBehaviour("delivers", true, false));
    showBehaviour();

    // ---- the composer
    const reply = $("reply");
    const box = $("words");
    const draft = `draft.${open}`;
    const gsm = new Set(state.alphabet[0]);
    const extension = new Set(state.alphabet[1]);
    const measure = (text) => {
      const plain = [...text].every((c) => gsm.has(c) || extension.has(c));
      const width = (c) => (plain ? (extension.has(c) ? 2 : 1) : c.length);
      const [single, joined] = plain ? [160, 153] : [70, 67];
      let units = 0;
      let count = 1;
      let last = 0;
      for (const c of text) {
        const w = width(c);
        units += w;
        if (last + w > joined) { count += 1; last = 0; }
        last += w;
      }
      if (units <= single) return { units, limit: single, count: 1, left: single - units, code: plain ? "GSM" : "UCS-2" };
      return { units, limit: joined, count, left: joined - last, code: plain ? "GSM" : "UCS-2" };
    };
    const remember = (values) => {
      // who wrote last is whom one answers
      if (!reply.elements.to.dataset.touched && /^\+?\d+$/.test(values.frm)) {
        reply.elements.to.value = values.frm;
        if (reply.elements.account.tagName === "SELECT") reply.elements.account.value = values.account;
      }
    };
    const showCount = () => {
      const m = measure(box.value);
      $("count").textContent = m.count === 1
        ? words.count.replace("%1", m.units).replace("%2", m.limit).replace("%3", m.code)
        : words.counts.replace("%1", m.left).replace("%2", m.count).replace("%3", m.code);
      box.rows = 1;
      while (box.rows < 6 && box.scrollHeight > box.clientHeight + 2) box.rows += 1;
    };
    const write = (text) => { box.value = text; box.dispatchEvent(new Event("input")); };
    const send = async () => {
      const values = { text: box.value, to: reply.elements.to.value, account: reply.elements.account.value };
      const problems = { words: "", to: "" };
      try {
        const answer = await post(reply.action, values);
        const told = answer.ok ? {} : await answer.json().catch(() => ({}));
        if (answer.ok) write("");
        else if (told.problems) { problems.words = told.problems.text ?? told.problems.account ?? ""; problems.to = told.problems.to ?? ""; }
        else problems.words = say("failed", answer.status);
      } catch (error) { problems.words = say("failed", error.message); }
      for (const [id, problem] of Object.entries(problems)) {
        $(`${id}-problem`).textContent = problem;
        $(id).setAttribute("aria-invalid", String(Boolean(problem)));
      }
      box.focus();
      soon();
    };
    if (reply) {
      const people = [...state.senders, ...state.originators];
      for (const [account, frm] of people) { const option = el("option"); option.value = frm; option.label = account; $("senders").append(option); }
      const first = people.find(([, frm]) => /^\+?\d+$/.test(frm));
      if (first) remember({ account: first[0], frm: first[1] });
      if (state.senders.length && !/^\+?\d+$/.test(state.senders[0][1])) $("to-problem").textContent = say("name", state.senders[0][1]);
      reply.elements.to.addEventListener("input", (event) => { event.target.dataset.touched = "1"; $("to-problem").textContent = ""; });
      box.addEventListener("input", () => { kept.set(sessionStorage, draft, box.value); showCount(); });
      box.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        send();
      });
      reply.addEventListener("submit", (event) => { event.preventDefault(); send(); });
      $("stop").addEventListener("click", () => { write("STOP"); send(); });
      $("long").addEventListener("click", () => { write(words.long); box.focus(); });
      reply.querySelectorAll(".emoji").forEach((button) => button.addEventListener("click", () => {
        box.setRangeText(button.value, box.selectionStart, box.selectionEnd, "end");
        box.dispatchEvent(new Event("input"));
        box.focus();
      }));
      box.value = kept.get(sessionStorage, draft) ?? "";
      showCount();
    }

    // ---- drawers, theme, keys
    const panel = $("panel");
    const settle = () => { if (wide.matches) { $("drawer").close(); $("side").append(panel); } else $("drawer").append(panel); };
    let opener = null;
    const openSide = (from) => {
      opener = from ?? document.activeElement;
      if (wide.matches) network.querySelector(":checked")?.focus();
      else if (!$("drawer").open) $("drawer").showModal();
    };
    wide.addEventListener("change", settle);
    settle();
    for (const dialog of document.querySelectorAll("dialog")) {
      dialog.querySelector(".close").addEventListener("click", () => dialog.close());
      dialog.addEventListener("click", (event) => { if (event.target === dialog && dialog.id === "drawer") { const r = dialog.getBoundingClientRect(); if (event.clientX < r.left || event.clientY < r.top) dialog.close(); } });
      dialog.addEventListener("close", () => opener?.focus());
    }
    document.querySelectorAll("#open-side, .open-side").forEach((button) => button.addEventListener("click", () => openSide(button)));
    const openHelp = () => { opener = document.activeElement; $("help").showModal(); };
    $("open-help").addEventListener("click", openHelp);
    const showTheme = () => $("theme").setAttribute("aria-label", words[root.dataset.theme ?? "auto"]);
    $("theme").addEventListener("click", () => {
      const order = ["auto", "light", "dark"];
      const next = order[(order.indexOf(root.dataset.theme ?? "auto") + 1) % 3];
      if (next === "auto") delete root.dataset.theme; else root.dataset.theme = next;
      kept.set(localStorage, "theme", next);
      showTheme();
      $("theme").title = words[next];
      announce(words[next]);
    });
    showTheme();
    $("letters").checked = kept.get(localStorage, "letters") === "off";
    $("letters").addEventListener("change", () => kept.set(localStorage, "letters", $("letters").checked ? "off" : "on"));
    const links = () => [...rows.querySelectorAll("a")];
    const step = (by) => {
      const all = links();
      const at = all.findIndex((link) => link.hasAttribute("aria-current"));
      const next = all[at < 0 ? 0 : at + by];
      if (next) go(next.href);
    };
    const letter = {
      "/": () => $("q").focus(), r: () => box?.focus(), n: () => $("number").focus(), m: () => openSide(), "?": openHelp,
      End: () => scroll && down(),
    };
    document.addEventListener("keydown", (event) => {
      if (event.isComposing || document.querySelector("dialog[open]")) return;
      if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        step(event.key === "ArrowUp" ? -1 : 1);
      } else if (event.key === "Escape") {
        if ($("q").value) { $("q").value = ""; searched = ""; fetchRows(false); $("q").focus(); }
        else if (open !== null && narrow.matches) go(addresses.page);
        else (rows.querySelector("[aria-current]") ?? rows.querySelector("a"))?.focus();
      } else if (rows.contains(document.activeElement) && ["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
        event.preventDefault();
        const all = links();
        const at = all.indexOf(document.activeElement);
        all[{ ArrowUp: Math.max(at - 1, 0), ArrowDown: Math.min(at + 1, all.length - 1), Home: 0, End: all.length - 1 }[event.key]]?.focus();
      } else if (document.activeElement === document.body && !event.ctrlKey && !event.metaKey && !event.altKey
        && letter[event.key] && !(event.key.length === 1 && $("letters").checked)) {
        event.preventDefault();
        letter[event.key]();
      }
    });

    // ---- the network: take a call from the server, make it, and tell what came of it
    const make = async (call) => {
      const started = performance.now();
      const values = { done: call.id, answer: 0, problem: "" };
      try {
        // as a provider: without this browser's cookies, and following no redirect
        const answer = await fetch(call.path, {
          method: "POST", body: call.body, headers: { "Content-Type": "application/json" },
          credentials: "omit", redirect: "manual", cache: "no-store", keepalive: true, signal: AbortSignal.timeout(10000),
        });
        values.answer = answer.status;
        if (answer.type === "opaqueredirect") values.problem = "redirect";
      } catch (error) { values.problem = String(error.message); }
      values.ms = Math.round(performance.now() - started);
      return values;
    };
    const play = () => {
      playing ??= (async () => {
        let values = {};
        for (;;) {
          const answer = await post(addresses.take, values);
          if (!answer.ok) throw new Error(String(answer.status));
          if (answer.status === 204) return;
          values = await make(await answer.json());
        }
      })().finally(() => { playing = null; });
      return playing;
    };

    // ---- what is new
    let cursor = state.now;
    let moved = Date.now();
    let failures = 0;
    let since = null;
    let timer = null;
    let asking = false;
    let again = false;
    const isUp = () => { failures = 0; since = null; $("link").className = "up"; $("link-words").textContent = words.up; };
    const isDown = () => {
      failures += 1;
      since ??= exact.format(new Date());
      $("link").className = "down";
      $("link-words").textContent = say("down", since);
    };
    const ask = async () => {
      if (asking) return;
      asking = true;
      clearTimeout(timer);
      let wait = 3000;
      try {
        const query = new URLSearchParams({ after: cursor });
        if (open !== null) query.set("open", open);
        const answer = await fetch(`${addresses.changes}?${query}`, { cache: "no-store", signal: AbortSignal.timeout(20000) });
        if (!answer.ok) throw new Error(String(answer.status));
        let waits = false;
        if (answer.status === 200) {
          const found = await answer.json();
          cursor = found.now;
          waits = found.waits;
          if (found.everybody !== everybody) { everybody = found.everybody; showBehaviour(); }
          const news = [applyRows(found.rows), scroll ? applyTexts(found.texts) : false, applyCalls(found.calls)];
          if (news.some(Boolean)) moved = Date.now();
          if (found.due) { await play(); again = true; }
        }
        isUp();
        wait = again ? 0 : waits || !document.hidden || Date.now() - moved < 60000 ? 800 : 3000;
      } catch { isDown(); wait = Math.min(30000, 2000 * 2 ** (failures - 1)); }
      again = false;
      asking = false;
      timer = setTimeout(ask, wait);
    };
    const soon = () => { moved = Date.now(); if (asking) again = true; else ask(); };
    document.addEventListener("visibilitychange", () => { if (!document.hidden) { if (scroll) markRead(); soon(); } });

    dressAll();
    countUnread();
    if (scroll) {
      down();
      // heights are estimates until what is below has been drawn
      requestAnimationFrame(() => requestAnimationFrame(() => { if (!chosen || follows) down(); }));
      markRead();
      if (chosen) { choose(chosen, false); bubbleOf(chosen)?.scrollIntoView({ block: "center" }); }
      else {
        const last = [...texts.querySelectorAll(".theirs")].at(-1);
        if (wide.matches && last) choose(last.dataset.ref, false);
      }
      if (narrow.matches) $("heading").focus({ preventScroll: true });
      else if (!document.activeElement || document.activeElement === document.body) box.focus({ preventScroll: true });
    }
    ask();
  });
})();
