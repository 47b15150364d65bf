// Starts runs through Airflow's own API, as the user who is logged in: what he may not do is refused there.
(function () {
  async function start(dag, words, conf, waits) {
    var said = document.getElementById("said");
    var root = window.location.pathname.split("/dr/view")[0];
    said.textContent = "Starting " + words + " …";
    try {
      var answer = await fetch(root + "/api/v2/dags/" + encodeURIComponent(dag) + "/dagRuns", {
        method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ logical_date: null, conf: conf }) });
      var told = await answer.json();
      said.textContent = answer.ok ? "Started " + told.dag_id + ", run " + told.dag_run_id + "." + waits
        : answer.status === 403 ? "You may not start " + dag + ": ask for the role that may."
        : "Not started: " + (typeof told.detail === "string" ? told.detail : JSON.stringify(told.detail)) + ".";
    } catch (error) { said.textContent = "Not started: " + error + "."; }
  }
  document.addEventListener("click", async function (event) {
    var button = event.target.closest("button[data-dag]");
    if (!button) return;
    button.disabled = true;
    await start(button.dataset.dag, button.textContent.trim(), {}, "");
    button.disabled = false;
  });
  document.addEventListener("submit", async function (event) {
    var form = event.target.closest("form[data-dag]");
    if (!form) return;
    event.preventDefault();
    var conf = {};
    new FormData(form).forEach(function (value, name) { if (value !== "") conf[name] = value; });
    var button = form.querySelector("button");
    button.disabled = true;
    await start(form.dataset.dag, "the restore", conf, " Somebody else has to approve it now, under Required Actions.");
    button.disabled = false;
  });
})();
