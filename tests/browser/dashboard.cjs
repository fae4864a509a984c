// The page as people use it: what it shows, what its buttons do to a real run, what becomes of it when its server
// goes away, and whether people with a keyboard, a phone or a screen reader get on with it.
const assert = require('node:assert');
const {execFileSync, spawn} = require('node:child_process');
const fs = require('node:fs');
const {chromium} = require('playwright-core');

const [pgalter, scratch] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const token = 'a-token-for-this-test-alone';
const tokenFile = `${scratch}/token`;
fs.writeFileSync(tokenFile, `${token}\n`);

const sql = (text) => execFileSync('psql', ['-qXtA', process.env.PGALTER_DSN, '-c', text]).toString().trim();

async function until(what, holds) {
  const giveUp = Date.now() + 60000;
  while (!(await holds())) {
    assert(Date.now() < giveUp, `not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Resolves with the process once it has said its address.
function serve(listen) {
  const child = spawn(pgalter, ['serve', '--listen', listen, '--allow-control', '--token-file', tokenFile],
    {stdio: ['ignore', 'pipe', 'inherit']});
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (bytes) => resolve({child, url: bytes.toString().trim()}));
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
}

const ended = (child) => new Promise((resolve) => {
  child.on('exit', resolve);
  child.kill('SIGTERM');
});

async function expectAccessible(page, what) {
  const violations = await page.evaluate(`(async () => {
    ${axe};
    const {violations} = await axe.run();
    return violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' '));
  })()`);
  assert.deepStrictEqual(violations, [], what);
}

const problems = [];
async function open(browser, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  // What the page's policy stops is said here, too; a server that is away is what the test is about.
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_|Failed to load resource/.test(message.text())) {
      problems.push(message.text());
    }
  });
  return page;
}

const stateOf = (page) => page.locator('dl div:has(dt:text-is("State")) dd').textContent();

async function press(page, button, {type, value} = {}) {
  await page.click(`#do-${button}`);
  assert((await page.locator('dialog p').first().textContent()).length > 40, 'it says what it does');
  if (type) await page.fill('#confirm', type);
  if (value) await page.fill('#value', value);
  await page.click('#go');
}

async function lookAndSteer(browser, url) {
  const page = await open(browser);
  await page.goto(`${url}#t=${token}`);
  await page.waitForSelector('table.runs tbody tr');
  assert(!page.url().includes(token), 'the token is gone from the address');
  await expectAccessible(page, 'list');
  // With the keyboard alone.
  await page.locator('table.runs tbody a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('progress');
  await page.waitForSelector('text=sync-trigger');
  await expectAccessible(page, 'run');

  const before = await page.locator('progress').getAttribute('value');
  await until('progress', async () => (await page.locator('progress').getAttribute('value')) > before);

  await press(page, 'pause');
  await until('the page says paused', async () => (await stateOf(page)) === 'paused');
  assert.strictEqual(sql('SELECT state FROM pgalter.run'), 'paused');
  const done = sql('SELECT count(*) FROM items WHERE b IS NOT NULL');
  assert.notStrictEqual(done, '200000');

  await press(page, 'resume');
  await until('the page says running', async () => (await stateOf(page)) === 'running');
  assert.strictEqual(sql('SELECT state FROM pgalter.run'), 'running');
  return page;
}

async function goAwayAndComeBack(page, server) {
  const listen = server.url.replace(/^http:\/\/|\/$/g, '');
  assert.strictEqual(await ended(server.child), 0);
  await until('the page says that it is stale', async () =>
    (await page.locator('#link').textContent()).startsWith('Stale.'));
  const again = await serve(listen);
  await until('the page is live again', async () => (await page.locator('#link').textContent()) === 'live');
  return again;
}

async function main() {
  await until('a run', () => sql("SELECT to_regclass('pgalter.run') IS NOT NULL") === 't'
    && sql("SELECT count(*) FROM pgalter.heartbeat") === '1');
  let server = await serve('127.0.0.1:0');
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
  try {
    const page = await lookAndSteer(browser, server.url);
    server = await goAwayAndComeBack(page, server);
    await press(page, 'throttle', {value: '1'});
    await until('done', async () => (await stateOf(page)) === 'done');
    assert.strictEqual(sql('SELECT count(*) FROM items WHERE b IS DISTINCT FROM a * 2'), '0');
    assert.strictEqual(await page.locator('#do-pause').count(), 0, 'nothing to pause');

    for (const options of [{colorScheme: 'dark'}, {viewport: {width: 360, height: 740}}]) {
      const other = await open(browser, options);
      await other.goto(`${server.url}#t=${token}`);
      await other.click('table.runs tbody a');
      await other.waitForSelector('text=sync-trigger');
      await expectAccessible(other, JSON.stringify(options));
      const wide = await other.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert(!wide, `no scrolling to the side: ${JSON.stringify(options)}`);
    }

    const stranger = await open(browser);
    await stranger.goto(server.url);
    await stranger.waitForSelector('#token');
    await expectAccessible(stranger, 'token');
    assert.strictEqual(await stranger.locator('table').count(), 0, 'nothing without the token');
    await stranger.fill('#token', token);
    await stranger.keyboard.press('Enter');
    await stranger.waitForSelector('table.runs tbody tr');
    assert.deepStrictEqual(problems, []);
  } finally {
    await browser.close();
    await ended(server.child);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
