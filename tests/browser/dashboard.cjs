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

// Who waited for the run is kept, and can be unfolded with the keyboard alone.
async function showsWhoWaited(page) {
  const run = sql('SELECT run FROM pgalter.run WHERE state = \'running\'');
  const holder = spawn('psql', ['-qXtA', process.env.PGALTER_DSN], {stdio: ['pipe', 'ignore', 'inherit']});
  holder.stdin.write(`SET application_name = 'pgalter/${run}'; BEGIN; LOCK TABLE other;\n`);
  await until('the lock', () => sql("SELECT count(*) FROM pg_locks WHERE relation = 'other'::regclass AND granted") === '1');
  const waiter = spawn('psql', ['-qXtA', process.env.PGALTER_DSN, '-c', 'SELECT count(*) FROM other'], {stdio: 'ignore'});
  await page.waitForSelector('section[aria-label=Locks] li:has-text("public.other")');
  // The run looks behind each of its beats.
  await until('somebody waits', () => Number(sql("SELECT count(*) FROM pg_locks WHERE NOT granted")) === 1);
  const beat = () => sql('SELECT max(at) FROM pgalter.heartbeat');
  for (let i = 0; i < 4; i++) {
    const last = beat();
    await until('a beat', () => beat() !== last);
  }
  holder.stdin.end('ROLLBACK;\n');
  await new Promise((resolve) => waiter.on('exit', resolve));
  const summary = page.locator('details summary').first();
  await summary.waitFor();
  await summary.focus();
  await page.keyboard.press('Enter');
  await until('the tree is unfolded', async () => page.locator('details[open] li').first().isVisible());
  await new Promise((resolve) => setTimeout(resolve, 3000));
  assert(await page.locator('details[open]').count() === 1, 'it stays unfolded when the page is drawn anew');
}

// Curves are drawn of what a runner has measured, and said in words.
async function drawsItsCurves(page) {
  sql(`UPDATE pgalter.sample SET facts = '{"chunk_ms": 42, "chunk_rows": 900, "commit_ms": 3, "lag_s": {"one": 1, "two": 7}}'`);
  sql('INSERT INTO pgalter.sample SELECT run, at - interval \'10 s\' * g, done_rows, rows_per_s, throttle_ratio, '
    + 'throttle_reason, facts FROM pgalter.sample, generate_series(1, 30) g WHERE at = (SELECT max(at) FROM pgalter.sample)');
  await page.waitForSelector('text=two: 7 s at last');
  await page.waitForSelector('text=a chunk: 42 ms at last');
  assert.strictEqual(await page.locator('.plot canvas').count(), 6, 'rows, pace, chunk time, chunk size, lag, commits');
}

// A run at its canary: the gate is in its plan, and its button really opens it.
async function opensAGate(browser, url) {
  sql('CREATE TABLE small (id bigint PRIMARY KEY, a int); INSERT INTO small SELECT g, g FROM generate_series(1, 60000) g;'
    + 'ALTER TABLE small ADD b int; ANALYZE small');
  execFileSync(pgalter, ['backfill', 'small', '--set', 'b = a', '--canary', '5%', '--yes'], {stdio: 'ignore'});
  const run = sql("SELECT run FROM pgalter.run WHERE target = 'public.small'");
  const page = await open(browser);
  await page.goto(`${url}#t=${token}`);
  await page.click(`a[href="#/run/${run}"]`);
  await page.waitForSelector('.plan .gate.here');
  await expectAccessible(page, 'gate');
  assert((await page.locator('.about').first().textContent()).length > 10, 'the button says what follows');
  await page.locator('#open-canary').focus();
  await page.keyboard.press('Enter');
  assert((await page.locator('dialog h3').textContent()).startsWith('Open canary'));
  await page.locator('#go').focus();
  await page.keyboard.press('Enter');
  await until('done', async () => (await stateOf(page)) === 'done');
  assert.strictEqual(sql('SELECT count(*) FROM small WHERE b IS NULL'), '0');
}

// Two hundred runs, and thirty days of samples of one: quick, and no wider than the page.
async function bearsMuch(browser, url) {
  sql(`WITH r AS (INSERT INTO pgalter.run (run, command, target, relid, spec, state, phase, done_rows, total_rows)
      SELECT gen_random_uuid(), 'backfill', 'public.old_' || g, 0, '{}', 'done', 'done', g, g FROM generate_series(1, 200) g
      RETURNING run, target),
    l AS (INSERT INTO pgalter.lease (run, epoch, owner) SELECT run, 1, '' FROM r),
    c AS (INSERT INTO pgalter.control (run) SELECT run FROM r)
    INSERT INTO pgalter.sample SELECT run, now() - g * interval '10 s', g, g % 100, 1, '',
      jsonb_build_object('chunk_ms', g % 90, 'chunk_rows', 500, 'commit_ms', 2, 'lag_s', jsonb_build_object('one', g % 9))
      FROM r, generate_series(1, 259200) g WHERE target = 'public.old_1'`);
  const old = sql("SELECT run FROM pgalter.run WHERE target = 'public.old_1'");
  const page = await open(browser, {viewport: {width: 360, height: 740}});
  const begin = Date.now();
  await page.goto(`${url}#t=${token}`);
  await until('all runs are listed', async () => await page.locator('table.runs tbody tr').count() >= 201);
  assert(Date.now() - begin < 20000, `the list took ${Date.now() - begin} ms`);
  await expectAccessible(page, 'two hundred runs');
  const asked = Date.now();
  await page.click(`a[href="#/run/${old}"]`);
  await page.waitForSelector('.plot canvas');
  console.log(`200 runs listed in ${asked - begin} ms, 30 days of samples drawn in ${Date.now() - asked} ms`);
  assert(Date.now() - asked < 30000, '30 days of samples');
  assert(!await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), 'no scrolling to the side');
}

// From the first byte asked for to the first thing drawn, on loopback, several times; and once more where the machine
// had other things to do.
async function paintsSoon(browser, url) {
  let median = Infinity;
  for (let round = 0; round < 5 && median >= 300; round++) median = await firstPaint(browser, url);
  assert(median < 300, `first paint after ${median} ms`);
}

async function firstPaint(browser, url) {
  const times = [];
  for (let i = 0; i < 5; i++) {
    const page = await open(browser);
    await page.goto(`${url}#t=${token}`);
    await page.waitForSelector('table.runs tbody tr');
    times.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0));
    await page.close();
  }
  times.sort((a, b) => a - b);
  console.log(`first paint after ${times.map((time) => Math.round(time)).join(', ')} ms`);
  assert(times[0] > 0, 'something was drawn');
  return times[2];
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
    await paintsSoon(browser, server.url);
    const page = await lookAndSteer(browser, server.url);
    await showsWhoWaited(page);
    await drawsItsCurves(page);
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

    await opensAGate(browser, server.url);
    await bearsMuch(browser, server.url);
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
