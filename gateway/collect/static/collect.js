// Relays a page's dataLayer: <script async src=".../v1/collect.js" data-key="blp_..."></script>
// data-layer: its name; data-visitor: the visitor's id, else one is made and kept.
((w, d) => {
  const me = d.currentScript, set = me.dataset, to = new URL("collect", me.src), kept = "blockloom.visitor";
  const consent = {};
  let queue = [], timer, user, visitor = set.visitor, failures = 0;

  const made = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => (b + 256).toString(16).slice(1)).join("");
  const who = () => { // only kept once it is needed
    try {
      visitor = visitor || localStorage.getItem(kept) || made();
      if (!set.visitor) localStorage.setItem(kept, visitor);
    } catch (e) { visitor = visitor || made(); }
    return visitor;
  };
  const plain = (k, v) => (v instanceof w.Node || v === w || typeof v === "function" ? undefined : v);
  const copy = (data) => { try { return JSON.parse(JSON.stringify(data, plain)); } catch (e) { return {}; } };
  const later = (ms) => { timer = timer || setTimeout(flush, ms); };
  const now = () => new Date().toISOString();

  function add(name, data) {
    if (consent.analytics_storage === "denied" || queue.length > 199) return;
    queue.push({ id: made(), name: String(name), at: now(), url: w.location.href, user, data: copy(data) });
    if (queue.length > 19) flush(); else later(1000);
  }
  function flush(leaving) {
    clearTimeout(timer);
    timer = 0;
    if (!queue.length) return;
    const events = queue.splice(0, 20);
    const body = JSON.stringify({ key: set.key, visitor: who(), sentAt: now(), referrer: d.referrer,
      locale: navigator.language, consent, events });
    if (leaving === true) {
      if (navigator.sendBeacon(to, body)) flush(true); else queue = events.concat(queue);
      return;
    }
    fetch(to, { method: "POST", body, keepalive: body.length < 6e4, headers: { "content-type": "text/plain" } })
      .then((r) => { if (r.status > 499 || r.status === 429) throw r; failures = 0; if (queue.length) later(0); })
      .catch(() => { queue = events.concat(queue).slice(0, 200); later(1000 * 2 ** Math.min(failures++, 6)); });
  }
  function know(data) { if (data && (data.user_id || data.userId)) user = String(data.user_id || data.userId); }
  function take(push) {
    if (!push) return;
    if (push.length) { // gtag(...)
      if (push[0] === "event") add(push[1], push[2]);
      else if (push[0] === "consent") Object.assign(consent, push[2]);
      else know(push[push.length - 1]);
      return;
    }
    know(push);
    if (push.event && String(push.event).indexOf("gtm.")) add(push.event, push);
  }

  const name = set.layer || "dataLayer", layer = w[name] = w[name] || [], before = layer.push;
  layer.push = (...all) => { const done = before.apply(layer, all); all.forEach(take); return done; };
  layer.slice().forEach(take);
  w.addEventListener("pagehide", () => flush(true));
  d.addEventListener("visibilitychange", () => d.visibilityState === "hidden" && flush(true));
})(window, document);
