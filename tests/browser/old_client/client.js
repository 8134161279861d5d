// The browser client of the backend that this service replaces, as it was: its calls, the fields it reads, its slashes.
// Its address has the API's origin: ?api=http://127.0.0.1:3000

const API = `${new URLSearchParams(location.search).get("api")}/api/tickets/`;
const $ = (selector) => document.querySelector(selector);

async function request(path, options = {}) {
  const response = await fetch(API + path, { headers: { "Content-Type": "application/json" }, ...options });
  const data = await response.json();
  if (!response.ok) throw new Error(data.error);
  return data;
}

const showError = (error) => ($("#error").textContent = error ? error.message : "");

async function suggest() {
  const description = $("#create").description.value;
  if (!description.trim()) return;
  $("#suggesting").hidden = false;
  try {
    const suggestion = await request("classify/", { method: "POST", body: JSON.stringify({ description }) });
    $("#create").category.value = suggestion.suggested_category;
    $("#create").priority.value = suggestion.suggested_priority;
  } catch (error) {
    showError(error);
  }
  $("#suggesting").hidden = true;
}

async function create(event) {
  event.preventDefault();
  const { title, description, category, priority } = Object.fromEntries(new FormData($("#create")));
  try {
    await request("", { method: "POST", body: JSON.stringify({ title, description, category, priority }) });
    $("#create").reset();
    showError(null);
    await refresh();
  } catch (error) {
    showError(error);
  }
}

async function refresh() {
  const filters = new URLSearchParams(new FormData($("#filters"))); // empty ones too
  try {
    const [tickets, stats] = await Promise.all([request(`?${filters}`), request("stats/")]);
    $("#tickets").replaceChildren(...tickets.map(item));
    $("#stats").textContent =
      `${stats.total_tickets} total, ${stats.open_tickets} open, ${stats.avg_tickets_per_day.toFixed(1)} a day; ` +
      [stats.priority_breakdown, stats.category_breakdown]
        .flatMap(Object.entries)
        .map(([label, count]) => `${label} ${count}`)
        .join(", ");
  } catch (error) {
    showError(error);
  }
}

function item(ticket) {
  const status = document.createElement("select");
  status.setAttribute("aria-label", `Status of ${ticket.title}`);
  for (const value of ["open", "in_progress", "resolved", "closed", "archived"]) status.add(new Option(value));
  status.value = ticket.status;
  status.addEventListener("change", async () => {
    try {
      await request(`${ticket.id}/`, { method: "PATCH", body: JSON.stringify({ status: status.value }) });
      await refresh();
    } catch (error) {
      showError(error);
    }
  });
  const made = document.createElement("li");
  const at = new Date(ticket.created_at).toISOString().slice(0, 4);
  made.append(`${ticket.title} / ${ticket.category} / ${ticket.priority} / ${at}`, status);
  return made;
}

$("#create").description.addEventListener("blur", suggest);
$("#create").addEventListener("submit", create);
$("#filters").addEventListener("input", refresh);
refresh();
