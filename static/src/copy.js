// A button with data-copy copies the text of the element that it names, and says so. It is hidden
// where the browser cannot copy: then the text is marked and copied by hand.
if (navigator.clipboard) for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button || !navigator.clipboard) return;
  const from = document.getElementById(button.dataset.copy);
  const said = button.querySelector("[data-copy-word]");
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    said.textContent = "Copied";
  } catch {
    from.select?.();
    said.textContent = "Marked: copy it with the keyboard";
  }
});
