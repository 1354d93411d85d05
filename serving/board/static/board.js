// After a swap: says the news in the page's one live region, and never leaves the focus nowhere.
(() => {
  const settle = (event) => {
    const said = document.getElementById("said"), target = event.detail && event.detail.ctx && event.detail.ctx.target;
    if (target && target.id === "repair") {
      if (said) said.textContent += ` ${target.textContent.trim().replace(/\s+/g, " ")}`;
      return;
    }
    const news = document.querySelector("#main [data-say]");
    const text = news ? news.textContent.trim().replace(/\s+/g, " ") : document.title;
    if (said) said.textContent = text;
    const next = document.querySelector("#main [data-focus]");
    if (next) next.focus();
    else if (!document.activeElement.closest("#main")) document.getElementById("main").focus();
    allowDragging();
  };
  document.addEventListener("htmx:after:swap", (event) => setTimeout(settle, 0, event));

  // Dragging a student to another session of the block is the same form as the menu sends; an extra, for a mouse alone.
  let dragged = null;
  const allowDragging = () => document.querySelectorAll("[data-student]").forEach((seat) => { seat.draggable = true; });
  const placeUnder = (event) => {
    const place = dragged && event.target.closest("[data-drop]");
    return place && place.dataset.block === dragged.closest("[data-block]").dataset.block && !place.contains(dragged) ? place : null;
  };
  const unmark = () => document.querySelectorAll(".over").forEach((place) => place.classList.remove("over"));
  document.addEventListener("dragstart", (event) => {
    const seat = event.target.closest && event.target.closest("[data-student]");
    if (!seat || !seat.closest("[data-block]")) return;
    dragged = seat;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  document.addEventListener("dragover", (event) => {
    const place = placeUnder(event);
    unmark();
    if (place) { event.preventDefault(); place.classList.add("over"); }
  });
  document.addEventListener("drop", (event) => {
    const place = placeUnder(event), form = document.getElementById("drag");
    unmark();
    if (place && form) {
      event.preventDefault();
      form.elements.student_id.value = dragged.dataset.student;
      form.elements.block_id.value = place.dataset.block;
      form.elements.session_id.value = place.dataset.drop;
      form.requestSubmit();
    }
    dragged = null;
  });
  document.addEventListener("dragend", () => { dragged = null; unmark(); });
  allowDragging();

  // A link that signs in has its key after the `#`, which no browser sends anywhere.
  const form = document.getElementById("sign-in");
  if (form && location.hash.startsWith("#rg_")) {
    form.elements.key.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    form.requestSubmit();
  }
})();
