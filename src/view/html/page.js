'use strict';
// Filters and folds the changes. Everything can be read without it; it reads what stands on the page, and keeps nothing.
(() => {
  const byId = (id) => document.getElementById(id);
  const foldable = Array.from(document.querySelectorAll('details'));
  const changes = Array.from(document.querySelectorAll('details.change'), (element) => ({ element, text: null }));

  // On paper everything is unfolded; afterwards it is as it was.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = foldable.filter((one) => !one.open);
    for (const one of folded) one.open = true;
  });
  addEventListener('afterprint', () => {
    for (const one of folded) one.open = false;
    folded = [];
  });

  const bar = byId('filter');
  let showAll = () => {};
  if (bar) {
    const text = byId('filter-text');
    const cluster = byId('filter-cluster');
    const destroys = byId('filter-destroys');
    const result = byId('filter-result');
    const reset = byId('filter-reset');
    const actions = Array.from(bar.querySelectorAll('input[name="action"]'));

    const filter = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
      const wanted = new Set(actions.filter((one) => one.checked).map((one) => one.value));
      let shown = 0;
      for (const change of changes) {
        const { action, cluster: number, destroys: isDestroying } = change.element.dataset;
        let fits = wanted.has(action);
        fits &&= !cluster || cluster.value === '' || cluster.value === number;
        fits &&= !destroys || !destroys.checked || isDestroying !== undefined;
        if (fits && words.length > 0) {
          change.text ??= change.element.textContent.toLowerCase();
          fits = words.every((word) => change.text.includes(word));
        }
        change.element.hidden = !fits;
        if (fits) shown += 1;
      }
      const all = changes.length;
      result.textContent = shown === all ? `${all} changes` : `${shown} of ${all} changes`;
      reset.hidden = shown === all;
      byId('none-found').hidden = shown > 0;
    };

    // Typing is waited for, so that each result is announced once.
    let timer = 0;
    text.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(filter, 150);
    });
    for (const one of [...actions, cluster, destroys]) one?.addEventListener('change', filter);

    showAll = () => {
      clearTimeout(timer);
      text.value = '';
      if (cluster) cluster.value = '';
      if (destroys) destroys.checked = false;
      for (const one of actions) one.checked = true;
      filter();
    };
    reset.addEventListener('click', () => {
      showAll();
      text.focus();
    });
    const fold = (open) => () => {
      for (const { element } of changes) if (!element.hidden) element.open = open;
    };
    byId('unfold').addEventListener('click', fold(true));
    byId('fold').addEventListener('click', fold(false));
    bar.hidden = false;
    // A browser that comes back to the page may have kept what was typed.
    filter();
  }

  // A link to a change opens it, also when a filter hides it.
  const reveal = () => {
    const target = byId(location.hash.slice(1));
    const change = target?.closest('details.change');
    if (!change) {
      target?.scrollIntoView();
      return;
    }
    if (change.hidden) showAll();
    change.open = true;
    change.scrollIntoView({ block: 'start' });
    change.querySelector('summary').focus({ preventScroll: true });
  };
  addEventListener('hashchange', reveal);
  // The same link once more changes nothing in the address.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || link.getAttribute('href') !== location.hash) return;
    event.preventDefault();
    reveal();
  });
  if (location.hash !== '') reveal();
})();
