// Starts runs through Airflow's own API, as the user who is logged in: what he may not do is refused there.
document.addEventListener("click", async function (event) {
  var button = event.target.closest("button[data-dag]");
  if (!button) return;
  var said = document.getElementById("said");
  var root = window.location.pathname.split("/dr/view")[0];
  button.disabled = true;
  said.textContent = "Starting " + button.textContent.trim() + " …";
  try {
    var answer = await fetch(root + "/api/v2/dags/" + encodeURIComponent(button.dataset.dag) + "/dagRuns", {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ logical_date: null, conf: {} }) });
    var told = await answer.json();
    said.textContent = answer.ok ? "Started " + told.dag_id + ", run " + told.dag_run_id + "."
      : answer.status === 403 ? "You may not start " + button.dataset.dag + ": ask for the role that may."
      : "Not started: " + (typeof told.detail === "string" ? told.detail : JSON.stringify(told.detail)) + ".";
  } catch (error) { said.textContent = "Not started: " + error + "."; }
  button.disabled = false;
});