// What the page shows of an upload that is under way.

export function progressOf(form, input) {
  const zone = form.querySelector("[data-drop]");
  const box = form.querySelector("[data-upload-progress]");
  const part = (name) => box.querySelector(`[data-upload-${name}]`);
  const bar = box.querySelector("progress");
  const buttons = { pause: part("pause"), resume: part("resume"), cancel: part("cancel") };
  let said = "";

  return {
    // begin shows the bar; acts are what its buttons do, those without one stay away.
    begin(acts) {
      complain(form, "");
      zone.hidden = true;
      box.hidden = false;
      part("name").textContent = input.files[0].name;
      bar.value = 0;
      part("text").textContent = "Starting";
      for (const [name, button] of Object.entries(buttons)) button.onclick = acts[name] ?? null;
      this.running(Boolean(acts.pause));
    },
    at(share, text) {
      bar.value = share * 100;
      part("text").textContent = text;
      this.say(`${Math.floor(share * 10) * 10} % sent`);
    },
    // note replaces the figures until there are new ones.
    note(text) {
      part("text").textContent = text;
      this.say(text);
    },
    // say is for those who hear the page: each new sentence once.
    say(text) {
      if (text !== said) part("said").textContent = text;
      said = text;
    },
    running(canPause) {
      buttons.pause.hidden = !canPause;
      buttons.resume.hidden = true;
    },
    // stopped offers to continue; a sentence says why that is needed.
    stopped(text, sentence) {
      const had = document.activeElement === buttons.pause;
      buttons.pause.hidden = true;
      buttons.resume.hidden = false;
      if (had) buttons.resume.focus();
      this.note(text);
      complain(form, sentence);
    },
    end(sentence) {
      box.hidden = true;
      zone.hidden = false;
      input.value = "";
      complain(form, sentence);
    },
  };
}

export function complain(form, sentence) {
  const place = form.querySelector("[data-upload-error]");
  place.hidden = sentence === "";
  place.textContent = sentence;
}

export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (bytes >= 1023.5 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${bytes < 9.95 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}
