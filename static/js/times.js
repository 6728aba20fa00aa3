// Times arrive in UTC and are shown in the reader's own time zone.

const format = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = format.format(new Date(time.dateTime));
    time.title = time.dateTime;
  }
}

localise(document);
document.addEventListener("htmx:load", ({ detail: { elt } }) => localise(elt));
