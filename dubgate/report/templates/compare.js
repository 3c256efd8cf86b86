const root = document.documentElement;
root.classList.add("scripted");
for (const button of document.querySelectorAll("[data-set-lang]")) {
  button.addEventListener("click", () => {
    root.lang = root.dataset.lang = button.dataset.setLang;
    for (const other of document.querySelectorAll("[data-set-lang]")) other.setAttribute("aria-pressed", String(other === button));
  });
}
