// After a swap: says the news in the page's one live region, and never leaves the focus nowhere.
(() => {
  const settle = () => {
    const said = document.getElementById("said");
    const news = document.querySelector("#main [data-say]");
    const text = news ? news.textContent.trim().replace(/\s+/g, " ") : document.title;
    if (said) said.textContent = text;
    const next = document.querySelector("#main [data-focus]");
    if (next) next.focus();
    else if (!document.activeElement.closest("#main")) document.getElementById("main").focus();
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
