// The pages of plans, as people use them: by mouse, by keyboard, on a phone, on paper, and without a script.
// Usage: html.cjs CHROMIUM PAGES PROFILE [SCREENSHOTS]
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');

const [, , executablePath, pages, profile, screenshots] = process.argv;
const url = (name) => pathToFileURL(path.join(pages, `${name}.html`)).href;
const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// Everything that a page must not do: it is looked at after each check.
const wrong = [];
function watch(page) {
  page.on('console', (message) => wrong.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.isNavigationRequest() || !request.url().startsWith('file:')) wrong.push(`request: ${request.url()}`);
  });
}

const visibleChanges = (page) => page.locator('details.change:visible').count();
const status = (page) => page.locator('#filter-result').textContent();
const active = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.tagName.toLowerCase());

async function until(what, condition) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`not reached: ${what}`);
}

async function tabTo(page, id) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await active(page)) === id) return;
  }
  assert.fail(`Tab does not lead to ${id}`);
}

// The lowest ratio of contrast between a text and what is behind it (WCAG 2.2, 1.4.3), with the text.
function lowestContrast() {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => {
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = { ratio: 21, text: '' };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (text === '' || !element.checkVisibility() || element.closest('script, title')) continue;
    const style = getComputedStyle(element);
    const box = element.closest('svg') && element.parentElement.querySelector('rect');
    const front = luminance(rgba(box ? style.fill : style.color));
    const ground = luminance(box ? rgba(getComputedStyle(box).fill) : behind(element));
    const ratio = (Math.max(front, ground) + 0.05) / (Math.min(front, ground) + 0.05);
    if (ratio < lowest.ratio) lowest = { ratio, text: text.slice(0, 60) };
  }
  return lowest;
}

const checks = {
  async 'what is wide scrolls in its own box, and every text can be read, in both themes'(page) {
    for (const name of ['small', 'mixed', 'fleet']) {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.goto(url(name));
        // Of a fleet, a few are enough.
        await page.evaluate(() => {
          for (const one of Array.from(document.querySelectorAll('details')).slice(0, 20)) one.open = true;
        });
        for (const width of [1280, 768, 390, 360, 320]) {
          await page.setViewportSize({ width, height: 900 });
          const found = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(found <= width, `${name} is ${found} px wide on ${width} px`);
          if (screenshots && (width === 1280 || width === 390)) {
            const file = path.join(screenshots, `${name}-${colorScheme}-${width}.png`);
            await page.screenshot({ path: file, fullPage: name !== 'fleet' });
          }
        }
        const { ratio, text } = await page.evaluate(lowestContrast);
        assert.ok(ratio >= 4.5, `${name}, ${colorScheme}: contrast ${ratio.toFixed(2)} of "${text}"`);
      }
    }
  },

  async 'filters by mouse'(page) {
    await page.goto(url('mixed'));
    assert.equal(await visibleChanges(page), 14);
    assert.equal(await status(page), '14 changes');
    await page.locator('#filter-text').fill('STORE-007');
    await until('one change by text', async () => (await status(page)) === '1 of 14 changes');
    assert.equal(await visibleChanges(page), 1);
    await page.locator('#filter-reset').click();
    assert.equal(await visibleChanges(page), 14);
    assert.equal(await active(page), 'filter-text');
    await page.getByRole('checkbox', { name: 'destroy 10', exact: false }).first().click();
    assert.equal(await status(page), '4 of 14 changes');
    await page.locator('#filter-cluster').selectOption({ label: 'rg-edge/store-002' });
    assert.equal(await status(page), '2 of 14 changes');
    await page.locator('#filter-text').fill('tools contoso');
    await until('both words', async () => (await status(page)) === '1 of 14 changes');
    await page.locator('#filter-text').fill('no such thing');
    await until('none', async () => (await visibleChanges(page)) === 0);
    assert.ok(await page.getByText('No change is like that.').isVisible());
    await page.locator('#filter-reset').click();
    await page.locator('#fold').click();
    assert.equal(await page.locator('details.change[open]').count(), 0);
    await page.locator('#unfold').click();
    assert.equal(await page.locator('details.change[open]').count(), 14);
  },

  async 'everything by keyboard, and what has the focus shows it'(page) {
    await page.goto(url('mixed'));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the plan');
    assert.ok(await page.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0), 'the skip link shows');
    await page.keyboard.press('Enter');
    assert.equal(await active(page), 'main');
    await tabTo(page, 'filter-text');
    await page.keyboard.type('store-001');
    await until('two changes', async () => (await status(page)) === '2 of 14 changes');
    await page.keyboard.press('Tab');
    assert.equal(await active(page), 'filter-cluster');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    assert.equal(await status(page), '1 of 14 changes');
    await tabTo(page, 'summary');
    const isOpen = () => page.evaluate(() => document.activeElement.parentElement.open);
    const before = await isOpen();
    await page.keyboard.press('Enter');
    assert.equal(await isOpen(), !before);
    // What the outline is drawn on, or a stroke where it is drawn in the picture.
    await page.goto(url('mixed'));
    for (let presses = 0; presses < 70; presses += 1) {
      await page.keyboard.press('Tab');
      const shown = await page.evaluate(() => {
        const one = document.activeElement;
        if (one === document.body) return 'nothing';
        const marks = [one, one.nextElementSibling, one.querySelector('rect')].filter(Boolean).map((mark) => getComputedStyle(mark));
        const isMarked = marks.some((style) => parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none');
        return isMarked || marks.some((style) => parseFloat(style.strokeWidth) > 3) ? '' : one.outerHTML.slice(0, 80);
      });
      if (shown === 'nothing') break;
      assert.equal(shown, '', 'it has the focus and does not show it');
    }
  },

  async 'themes by mouse and by keyboard'(page) {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(url('small'));
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.locator('#theme-dark').click();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await ground(), light);
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.equal(await ground(), light, 'what was chosen stays');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await ground(), dark, 'and goes with the system again');
    const kept = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length].join());
    assert.equal(kept, ',0,0');
  },

  async 'links lead to changes, also to folded and filtered ones'(page) {
    await page.goto(url('mixed'));
    await page.locator('#fold').click();
    await page.locator('#filter-text').fill('store-002');
    await until('filtered', async () => (await visibleChanges(page)) === 2);
    const link = page.locator('#destroyed a').last();
    const id = (await link.getAttribute('href')).slice(1);
    for (const again of [false, true]) {
      await link.click();
      await until('revealed', async () => (await active(page)) === 'summary' && page.locator(`#${id}`).isVisible());
      if (!again) await page.locator('#fold').click();
    }
    assert.equal(await visibleChanges(page), 14);
    const box = page.locator('svg a').last();
    const target = (await box.getAttribute('href')).slice(1);
    await page.locator('#fold').click();
    await box.focus();
    await page.keyboard.press('Enter');
    await until('revealed', () => page.locator(`#${target}`).isVisible());
  },

  async 'hostile values are text'(page) {
    await page.goto(url('mixed'));
    await page.locator('#unfold').click();
    const text = await page.locator('main').innerText();
    for (const value of ["<script>alert('script')</script>", "<img src=x onerror=alert('image')>", "<svg onload=alert('line')>"]) {
      assert.ok(text.includes(value), `${value} is shown`);
    }
    assert.ok(text.includes('\\u{202e}last') && !text.includes('\u202e'), 'hidden characters are written out');
    assert.equal(await page.locator('img, iframe, object, embed, base, form, link, [onload], [onerror], [onmouseover]').count(), 0);
    assert.equal(await page.locator('script').count(), 1);
    assert.equal(await page.locator('svg').count(), 1);
    for (const row of await page.locator('.fields tr:visible').all()) await row.hover();
  },

  async 'on paper everything is unfolded'(page) {
    await page.goto(url('mixed'));
    await page.locator('#fold').click();
    await page.locator('#filter-text').fill('store-001');
    await until('filtered', async () => (await visibleChanges(page)) === 2);
    const shown = () => page.evaluate(() => {
      const bodies = Array.from(document.querySelectorAll('.change .body'));
      const isShown = (one) => one.checkVisibility({ contentVisibilityAuto: true }) && one.getBoundingClientRect().height > 20;
      return [bodies.filter(isShown).length, document.getElementById('filter').checkVisibility()];
    });
    // What is far down is laid out a moment later.
    const comes = (what, wanted) => until(what, async () => JSON.stringify(await shown()) === JSON.stringify(wanted));
    await comes('folded and filtered', [0, true]);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await comes('unfolded on paper', [14, false]);
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light');
    assert.ok((await page.pdf({ format: 'A4' })).length > 10_000);
    await page.emulateMedia({ media: 'screen', colorScheme: null });
    await comes('afterwards as it was', [0, true]);
  },

  async 'a fleet is filtered and drawn'(page) {
    await page.goto(url('fleet'));
    const all = await page.locator('details.change').count();
    assert.ok(all >= 200, `${all} changes`);
    assert.equal(await page.locator('details.change[open]').count(), 0);
    await page.locator('#filter-text').fill('store-119');
    await until('filtered', async () => (await visibleChanges(page)) === 2);
    await page.locator('#filter-reset').click();
    await page.locator('#unfold').click();
    assert.equal(await page.locator('details.change[open]').count(), all);
    assert.ok((await page.locator('svg rect').count()) <= 60);
    assert.ok(await page.getByText('too many to draw one by one').isVisible());
  },

  async 'landmarks, and names for what has a role'(page) {
    await page.goto(url('mixed'));
    for (const role of ['banner', 'main', 'navigation', 'search', 'contentinfo', 'status']) {
      assert.equal(await page.getByRole(role).count(), 1, role);
    }
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    const nameless = await page.evaluate(() => Array.from(document.querySelectorAll('input, select, button, [tabindex="0"]'))
      .filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label'))).map((one) => one.outerHTML));
    assert.deepEqual(nameless, []);
  },
};

// What the page would not let happen, should something slip through.
async function policyHolds(page) {
  await page.goto(url('small'));
  const refused = await page.evaluate(async () => {
    const violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
    add('img', { src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' });
    add('link', { rel: 'stylesheet', href: 'data:text/css,' });
    add('iframe', { src: 'data:text/html,' });
    document.body.setAttribute('style', 'color: red');
    const thrown = [];
    const attempts = [
      () => document.body.setAttribute('onclick', '1'),
      () => { document.body.innerHTML = '<b>x</b>'; },
      () => document.body.append(Object.assign(document.createElement('script'), { textContent: '1' })),
    ];
    for (const attempt of attempts) {
      try { attempt(); } catch (error) { thrown.push(error.name); }
    }
    await fetch('data:text/plain,x').catch(() => thrown.push('fetch'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { violations, thrown };
  });
  assert.equal(refused.thrown.length, 4, JSON.stringify(refused));
  for (const directive of ['connect-src', 'frame-src', 'img-src', 'style-src-attr', 'style-src-elem']) {
    assert.ok(refused.violations.includes(directive), `${directive} is not refused: ${refused.violations}`);
  }
}

async function withoutScript(browser) {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  watch(page);
  await page.goto(url('mixed'));
  assert.equal(await page.locator('#filter').isVisible(), false);
  assert.equal(await visibleChanges(page), 14);
  const change = page.locator('details.change').first();
  const wasOpen = await change.locator('.body').isVisible();
  await change.locator('summary').click();
  assert.equal(await change.locator('.body').isVisible(), !wasOpen);
  await context.close();
}

(async () => {
  const options = { executablePath, headless: true, args: ARGS };
  const context = await chromium.launchPersistentContext(profile, options);
  try {
    for (const [what, check] of Object.entries(checks)) {
      const page = await context.newPage();
      await page.setViewportSize({ width: 1280, height: 900 });
      watch(page);
      await check(page);
      assert.deepEqual(wrong, [], what);
      await page.close();
      console.log(`ok: ${what}`);
    }
    await policyHolds(await context.newPage());
    console.log('ok: the security policy holds');
  } finally {
    await context.close();
  }
  const browser = await chromium.launch(options);
  try {
    await withoutScript(browser);
    assert.deepEqual(wrong, []);
    console.log('ok: all of it can be read without a script');
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
