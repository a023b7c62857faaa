// Files dropped or chosen go up at once, with their progress; the plain form does the same without it.
// A large one goes in pieces, so that it can go on after whatever stops it.
import { progressOf, complain } from "./upload_progress.js";
import { inPieces, markOf, sendInPieces } from "./upload_pieces.js";
import { sendWhole } from "./upload_whole.js";

for (const form of document.querySelectorAll("form[data-upload]")) {
  const zone = form.querySelector("[data-drop]");
  const input = form.querySelector("[data-drop-input]");
  form.querySelector("[data-upload-submit]").hidden = true;

  const over = (on) => zone.classList.toggle("drop-over", on);
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      over(true);
    });
  }
  for (const name of ["dragleave", "dragend", "drop"]) zone.addEventListener(name, () => over(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = event.dataTransfer.files;
    if (files.length > 1) {
      complain(form, "Drop one file at a time; each becomes a table of its own.");
      return;
    }
    if (files.length === 0) return;
    input.files = files;
    send(form, input);
  });
  input.addEventListener("change", () => input.files.length > 0 && send(form, input));
  offerToContinue(form, input);
}

// A file that misses the zone must not replace the page.
if (document.querySelector("form[data-upload]")) {
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    });
  }
}

function send(form, input) {
  const progress = progressOf(form, input);
  const file = input.files[0];
  if (file.size >= inPieces) sendInPieces(form, file, progress);
  else sendWhole(form, progress);
}

// offerToContinue lets the same file be chosen again for an upload that stopped.
function offerToContinue(form, input) {
  let wanted;
  input.addEventListener("cancel", () => (wanted = undefined));
  input.addEventListener(
    "change",
    (event) => {
      const expected = wanted;
      wanted = undefined;
      if (!expected || input.files.length === 0 || markOf(input.files[0]) === expected.mark) return;
      event.stopImmediatePropagation();
      input.value = "";
      complain(form, `This is not the file that ${expected.name} was, or it was changed since. Choose the same one, or drop the new one to begin anew.`);
    },
    { capture: true },
  );
  for (const row of document.querySelectorAll("[data-upload-unfinished]")) {
    const button = row.querySelector("[data-upload-continue]");
    button.hidden = false;
    button.addEventListener("click", () => {
      wanted = { mark: row.dataset.uploadUnfinished, name: row.querySelector("[title]").title };
      input.click();
    });
  }
}
