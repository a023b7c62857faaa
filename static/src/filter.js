// A filter above a list to tick: rows that do not hold its text are hidden.
// Without this script the filter is not shown and the list is whole.
for (const filter of document.querySelectorAll("[data-filter]")) filter.hidden = false;

document.addEventListener("input", (event) => {
  const list = document.getElementById(event.target.dataset?.filterInput ?? "");
  if (!list) return;
  const text = event.target.value.trim().toLowerCase();
  for (const row of list.querySelectorAll("[data-filter-row]")) {
    row.hidden = !row.textContent.toLowerCase().includes(text);
  }
});

// Enter in the filter looks; it does not send the form around it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset?.filterInput) event.preventDefault();
});
