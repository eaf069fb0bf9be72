// Keeps the inside of the main element up to date. Without this script the page
// is the same, as it was when it was loaded.
(() => {
  "use strict";
  const main = document.querySelector("main[data-live]");
  if (!main || !window.EventSource) return;
  const busy = () => {
    const at = document.activeElement;
    return main.contains(at) && /^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY|A)$/.test(at.tagName)
      || main.querySelector("details[open]") || [...main.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue) || String(window.getSelection());
  };
  let latest = null;
  const show = () => {
    if (latest === null || busy()) return;
    main.innerHTML = latest;
    latest = null;
  };
  // Browsers have few connections to a server: only what is looked at takes one.
  let source = null;
  const listen = () => {
    if (source && (document.hidden || source.readyState === EventSource.CLOSED)) {
      source.close();
      source = null;
    }
    if (source || document.hidden) return;
    source = new EventSource(location.href);
    source.onmessage = (event) => { latest = JSON.parse(event.data); show(); };
  };
  document.addEventListener("visibilitychange", listen);
  listen();
  document.addEventListener("focusout", () => setTimeout(show));
})();
