/**
 * Runs in the page. Returns what a screen reader could not name: fields, buttons, links and regions without a name, ids
 * that are used twice or do not exist, landmarks that are missing or doubled, and headings that leave out a level.
 */
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const textOf = (ids) =>
    (ids ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent ?? '')
      .join('');
  const named = (element) => {
    const own = [element.getAttribute('aria-label') ?? '', textOf(element.getAttribute('aria-labelledby'))];
    const around = [...(element.labels ?? []), element.closest('label')].map((label) => label?.textContent ?? '');
    const isText = /^(A|BUTTON|SUMMARY)$/.test(element.tagName);
    return [...own, ...around, isText ? element.textContent : ''].join('').trim() !== '';
  };
  const nameless = all('input, select, textarea, a, button, summary, form, section, nav, [role=region], [role=img]')
    .filter((element) => !named(element))
    .map((element) => `no name: ${element.outerHTML.slice(0, 80)}`);
  const ids = all('[id]').map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `twice: #${id}`);
  const dangling = all('[aria-describedby], [aria-labelledby]')
    .flatMap((element) => ['aria-describedby', 'aria-labelledby'].map((name) => element.getAttribute(name) ?? ''))
    .flatMap((text) => text.split(' '))
    .filter((id) => id !== '' && document.getElementById(id) === null)
    .map((id) => `missing: #${id}`);
  const levels = all('h1, h2, h3, h4').map(({ tagName }) => Number(tagName.slice(1)));
  const leaps = levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1).map((level) => `leap: h${level}`);
  const landmarks = ['main', 'header', 'nav'].filter((name) => all(name).length !== 1);
  return [...nameless, ...twice, ...dangling, ...leaps, ...landmarks];
})();
