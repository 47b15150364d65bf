// Airflow shows this in a frame of its own: take over whether it is dark, also when that is changed.
(function () {
  function theme() {
    var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    try { if (window.parent !== window) dark = window.parent.document.documentElement.classList.contains("dark"); } catch (_) {}
    document.documentElement.classList.toggle("dark", dark);
  }
  theme();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
  try { if (window.parent !== window) new MutationObserver(theme).observe(window.parent.document.documentElement,
    { attributes: true, attributeFilter: ["class"] }); } catch (_) {}
})();