// Files dropped or chosen go up at once, with their progress; the plain form does the same without it.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const zone = form.querySelector("[data-drop]");
  const input = form.querySelector("[data-drop-input]");
  const submit = form.querySelector("[data-upload-submit]");
  submit.hidden = true;

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
  const zone = form.querySelector("[data-drop]");
  const progress = form.querySelector("[data-upload-progress]");
  const bar = progress.querySelector("progress");
  const text = progress.querySelector("[data-upload-text]");
  const cancel = progress.querySelector("[data-upload-cancel]");
  const file = input.files[0];
  const request = new XMLHttpRequest();

  const stop = (sentence) => {
    progress.hidden = true;
    zone.hidden = false;
    input.value = "";
    complain(form, sentence);
  };
  complain(form, "");
  zone.hidden = true;
  progress.hidden = false;
  progress.querySelector("[data-upload-name]").textContent = file.name;
  bar.value = 0;
  text.textContent = "Starting";
  cancel.onclick = () => request.abort();

  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    const share = event.loaded / event.total;
    bar.value = share * 100;
    text.textContent = share < 1 ? `${Math.round(share * 100)} % of ${size(event.total)}` : "Looking at it";
  };
  request.onload = () => {
    const next = request.getResponseHeader("HX-Redirect");
    if (next && request.status < 400) location.assign(next);
    else if (request.status < 400 && request.responseURL && new URL(request.responseURL).pathname !== new URL(form.action).pathname) location.assign(request.responseURL);
    else stop(refusal(request));
  };
  request.onerror = () => stop("The upload broke off before the file had arrived. Check the connection, then drop it again.");
  request.onabort = () => stop("");
  const body = new FormData(form);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("HX-Request-Type", "full");
  request.send(body);
}

// refusal takes the sentence from the page that the server answered with.
function refusal(request) {
  if (request.status === 413) return "The file is larger than this server takes. Place it in the server's files folder instead.";
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const sentence = page.querySelector("main [role=alert] p:not(.text-xs)")?.textContent.trim();
  return sentence || `The server refused the file (${request.status}). Try again, or ask whoever runs Agnes.`;
}

function complain(form, sentence) {
  const place = form.querySelector("[data-upload-error]");
  place.hidden = sentence === "";
  place.textContent = sentence;
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1023.5 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${bytes < 9.95 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}
