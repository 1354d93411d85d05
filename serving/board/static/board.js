// After a swap: says the news in the page's one live region, and never leaves the focus nowhere.
(() => {
  const settle = () => {
    const said = document.getElementById("said");
    const news = document.querySelector("#main [data-say]");
    const text = news ? news.textContent.trim().replace(/\s+/g, " ") : document.title;
    if (said) said.textContent = text;
    const active = document.activeElement;
    if (active && active !== document.body && active.closest("#main")) return;
    const next = document.querySelector("#main [data-focus]") || document.getElementById("main");
    next.focus({ preventScroll: false });
  };
  document.addEventListener("htmx:after:swap", () => setTimeout(settle, 0));

  // A link that signs in has its key after the `#`, which no browser sends anywhere.
  const form = document.getElementById("sign-in");
  if (form && location.hash.startsWith("#rg_")) {
    form.elements.key.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    form.requestSubmit();
  }
})();
