// Usage: github.cjs ARCFLUX SPEC WORK. Runs the binary as a workflow would, against the server in github_server.cjs.
'use strict';
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { GitHub } = require('./github_server.cjs');

const [, , arcflux, spec, work] = process.argv;
const TOKEN = 'ghs_0123456789abcdefTheTokenOfTheJob';
const HEAD = 'a'.repeat(40);
const CREATE = /^POST .*\/comments$/;
const LIST = /^GET .*\/comments$/;
const PATCH = /^PATCH /;
// What makes a comment another one: links to another server.
const ELSEWHERE = { GITHUB_SERVER_URL: 'https://git.contoso.com' };
const CHECK = /^POST .*\/check-runs$/;

let runs = 0;

// Runs arcflux to its end. Nothing that it writes may hold the token.
function run(github, args, variables = {}) {
  const place = path.join(work, `run-${++runs}`);
  fs.mkdirSync(place);
  const at = (name) => path.join(place, name);
  const event = { pull_request: { number: 7, head: { sha: HEAD }, base: { sha: 'b'.repeat(40) } } };
  fs.writeFileSync(at('event'), JSON.stringify(event));
  fs.writeFileSync(at('output'), '');
  const environment = {
    HOME: work, PATH: process.env.PATH, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_API_URL: `${github.url}${github.base}`,
    GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'contoso/gitops', GITHUB_RUN_ID: '99', GITHUB_REF: 'refs/pull/7/merge',
    GITHUB_SHA: 'c'.repeat(40), GITHUB_EVENT_PATH: at('event'), GITHUB_STEP_SUMMARY: at('summary'), GITHUB_OUTPUT: at('output'),
    GITHUB_TOKEN: TOKEN, ...variables,
  };
  for (const [name, value] of Object.entries(environment)) if (value === undefined) delete environment[name];
  return new Promise((done) => {
    const child = spawn(arcflux, [...args, '--verbose'], { cwd: work, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { err += data; });
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('close', (code) => {
      clearTimeout(late);
      const file = (name) => (fs.existsSync(at(name)) ? fs.readFileSync(at(name), 'utf8') : '');
      const ran = { code, out, err, summary: file('summary'), output: file('output') };
      assert.ok(!JSON.stringify(ran).includes(TOKEN), 'the token is told');
      done(ran);
    });
  });
}

const ours = (github) => github.comments.filter((one) => one.user.login === github.login);
const open = (github) => ours(github).filter((one) => one.body.startsWith('<!-- arcflux:plan:v1 ') && !/"closed":true/.test(one.body.split('\n')[0]));

async function check(name, github, scenario) {
  github.reset();
  await scenario();
  assert.deepEqual(github.violations, [], name);
  console.log(`ok ${name}`);
}

function ends(ran, code) {
  assert.equal(ran.code, code, `${ran.out}\n${ran.err}`);
  return ran;
}

async function scenarios(github, digest) {
  const comment = (variables) => run(github, ['comment', 'plan.json'], variables);
  const one = (name, scenario) => check(name, github, scenario);

  await one('a plan becomes a comment, a check, a summary and outputs', async () => {
    github.write('ann', 'what does this change?');
    const ran = ends(await comment(), 0);
    const [, made] = github.comments;
    assert.match(made.body, /^<!-- arcflux:plan:v1 /);
    assert.ok(made.body.includes(digest) && ran.summary.startsWith(made.body));
    assert.match(ran.output, new RegExp(`^changes<<ARCFLUX\ntrue\nARCFLUX\n[^]*digest<<ARCFLUX\n${digest}\nARCFLUX\n`));
    const [made_check] = github.checks;
    assert.deepEqual([made_check.name, made_check.head_sha, made_check.external_id, made_check.conclusion],
      ['arcflux/plan (default)', HEAD, digest, 'success']);
    github.asked.length = 0;
    ends(await comment(), 0);
    assert.equal(github.count('PATCH'), 0, 'an equal body was written');
    assert.match(ends(await comment({ GITHUB_RUN_ID: '100' }), 0).err, /Left the comment on pull request 7/);
    assert.equal(github.count('PATCH'), 0, 'another run takes approvals away');
    ends(await comment(ELSEWHERE), 0);
    assert.equal(github.count('PATCH'), 1);
    assert.ok(made.body.includes('https://git.contoso.com/'));
    assert.equal(github.comments.length, 2);
  });

  await one('more than a hundred comments', async () => {
    for (let at = 0; at < 250; at++) github.write('ann', `comment ${at}`);
    ends(await comment(), 0);
    ends(await comment({ GITHUB_RUN_ID: '100' }), 0);
    assert.equal(ours(github).length, 1);
    assert.equal(github.count('GET /repos/contoso/gitops/issues/7/comments'), 3 + 3);
  });

  await one('both forms of the rate limit', async () => {
    github.fail(LIST, 403, 'API rate limit exceeded for installation ID 1.', () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 1) }));
    github.fail(CREATE, 403, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' });
    github.fail(CHECK, 429, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' });
    ends(await comment(), 0);
    assert.deepEqual([ours(github).length, github.checks.length], [1, 1]);
    github.fail(LIST, 403, 'API rate limit exceeded for installation ID 1.', () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3000) }));
    assert.match(ends(await comment({ GITHUB_RUN_ID: '100' }), 1).err, /API rate limit exceeded/);
  });

  await one('a token that can only read: summary and outputs, one clear line, and the exit code of the plan', async () => {
    for (const where of [CHECK, CREATE, CHECK, CREATE]) github.fail(where, 403, 'Resource not accessible by integration');
    for (let at = 0; at < 2; at++) github.fail(/^POST .*\/statuses/, 403, 'Resource not accessible by integration');
    const told = ends(await comment(), 0);
    assert.equal(told.err.split('\n').filter((line) => line.startsWith('warning:')).length, 1, told.err);
    assert.match(told.err, /Resource not accessible by integration.*pull-requests: write.*fork/);
    assert.ok(told.summary.includes(digest) && told.output.includes(digest));
    const plan = await run(github, ['plan', '--comment', '--cloud', 'sim', '-f', path.resolve(spec), '--detailed-exitcode']);
    assert.match(ends(plan, 2).err, /Resource not accessible by integration/);
    const none = ends(await comment({ GITHUB_TOKEN: undefined }), 0);
    assert.match(none.err, /no token in GITHUB_TOKEN or GH_TOKEN/);
    assert.equal(github.comments.length, 0);
    assert.match(ends(await comment({ GITHUB_TOKEN: 'ghs_wrong' }), 1).err.replace(/\s+/g, ' '), /Bad credentials.*is not known there/);
  });

  await one('404: deleted between listing and writing; and no such pull request', async () => {
    ends(await comment(), 0);
    github.fail(PATCH, 404, 'Not Found');
    ends(await comment(ELSEWHERE), 0);
    assert.equal(ours(github).length, 2);
    github.reset();
    const ran = await run(github, ['comment', 'plan.json', '--pull-request', '8']);
    assert.match(ends(ran, 1).err.replace(/\s+/g, ' '), /404: Not Found.*`--pull-request` are right/);
    assert.equal(github.comments.length, 0);
  });

  await one('5xx: reads again, and a creation is looked for before it is sent again', async () => {
    github.fail(LIST, 502, 'Server Error');
    github.fail(CREATE, 500, 'Server Error', {}, true);
    github.fail(CHECK, 503, 'Unavailable');
    ends(await comment(), 0);
    assert.deepEqual([ours(github).length, github.checks.length], [1, 1]);
  });

  await one('two runs at once, and the next one folds', async () => {
    let waiting = [];
    github.gate = { fits: (name) => LIST.test(name), pass: () => new Promise((go) => { waiting.push(go); if (waiting.length === 2) { github.gate = undefined; waiting.forEach((one) => one()); } }) };
    const both = await Promise.all([comment({ GITHUB_RUN_ID: '1' }), comment({ GITHUB_RUN_ID: '2' })]);
    both.forEach((ran) => ends(ran, 0));
    assert.equal(open(github).length, 2);
    assert.match(ends(await comment({ GITHUB_RUN_ID: '3' }), 0).err, /Folded 1 older/);
    assert.equal(open(github).length, 1);
    assert.equal(open(github)[0], ours(github)[1]);
    github.asked.length = 0;
    ends(await comment({ GITHUB_RUN_ID: '3' }), 0);
    assert.equal(github.count('PATCH'), 0);
  });

  await one('what others wrote is not touched', async () => {
    ends(await comment(), 0);
    const marker = github.comments[0].body;
    github.reset();
    const forged = github.write('mallory', marker).body;
    const quoted = github.write(github.login, `> ${marker}`).body;
    const told = ends(await comment(), 0);
    assert.match(told.err, /a comment by `mallory` begins like ours/);
    assert.deepEqual(github.comments.map((one) => one.body), [forged, quoted, marker]);
  });

  await one('a pull request that cannot be read is told, and the comment is there', async () => {
    github.fail(/^GET .*\/pulls\/\{pull_number\}$/, 301, 'Moved Permanently');
    assert.match(ends(await comment(), 1).err.replace(/\s+/g, ' '), /GitHub answered GET \/repos\/contoso\/gitops\/pulls\/7 with 301: Moved Permanently/);
    assert.deepEqual([ours(github).length, github.checks.length], [1, 1]);
  });

  await one('whatever the environment says wrongly, the plan is made', async () => {
    for (const [wrong, why] of [[{ GITHUB_TOKEN: 'ghs_two\nlines' }, /token is malformed/], [{ GITHUB_REPOSITORY: undefined }, /--repository NAME/], [{ ARCFLUX_TARGET: 'x'.repeat(101) }, /ARCFLUX_TARGET cannot be used/]]) {
      const ran = ends(await run(github, ['plan', '--comment', '--cloud', 'sim', '-f', path.resolve(spec)], wrong), 0);
      assert.match(ran.err.replace(/\s+/g, ' '), why);
    }
    assert.deepEqual([github.asked, github.comments.length], [[], 0]);
    ends(await comment({ ARCFLUX_TARGET: '' }), 0);
    assert.equal(github.checks[0].name, 'arcflux/plan (default)');
  });

  await one('links and redirects to elsewhere are not followed', async () => {
    let hits = 0;
    const elsewhere = http.createServer((_, response) => { hits++; response.end('[]'); });
    await new Promise((go) => elsewhere.listen(0, '127.0.0.1', go));
    const address = `http://127.0.0.1:${elsewhere.address().port}/x`;
    github.fail(LIST, 200, '', { link: `<${address}>; rel="next"` });
    ends(await comment(), 1);
    github.fail(LIST, 301, 'Moved', { location: address });
    assert.match(ends(await comment(), 1).err, /not followed, because the token would go there/);
    elsewhere.close();
    assert.deepEqual([hits, github.comments.length], [0, 0]);
  });

  await one('a personal token sets a status where it may make no check', async () => {
    github.fail(CHECK, 403, 'You must authenticate via a GitHub App.');
    ends(await comment(), 0);
    assert.deepEqual([github.statuses[0].context, github.statuses[0].state], ['arcflux/plan (default)', 'success']);
    assert.ok(github.statuses[0].description.includes(digest));
  });

  await one('a run for a commit that is not the newest any more leaves the comment to the one that is', async () => {
    github.head = 'd'.repeat(40);
    assert.match(ends(await comment(), 0).err, /has gone on to commit d/);
    assert.deepEqual([github.comments.length, github.checks[0].head_sha], [0, HEAD]);
  });

  await one('a destruction asks for somebody to look', async () => {
    ends(await run(github, ['comment', 'destroy.json']), 0);
    assert.equal(github.checks[0].conclusion, 'action_required');
    assert.match(github.checks[0].output.title, /^Destructive: 0 to add, 0 to change, 2 to destroy$/);
  });

  await one('no plan: a comment and a check say why', async () => {
    fs.writeFileSync(path.join(work, 'wrong.yaml'), 'apiVersion: arcflux/v1\nkustomisations: {}\n');
    ends(await run(github, ['plan', '--comment', '--cloud', 'sim', '-f', 'wrong.yaml']), 1);
    assert.deepEqual([github.checks[0].conclusion, github.checks[0].external_id], ['failure', undefined]);
    assert.match(github.comments[0].body, /kustomisations/);
    // Then there is one, in the same comment.
    ends(await comment(), 0);
    assert.equal(github.comments.length, 1);
  });

  await one('no changes: no comment is made, and one that is there comes to say so', async () => {
    const idle = (variables) => run(github, ['comment', 'idle.json'], variables);
    ends(await idle(), 0);
    assert.deepEqual([github.comments.length, github.checks[0].conclusion], [0, 'neutral']);
    ends(await comment(), 0);
    ends(await idle(), 0);
    assert.match(github.comments[0].body, /"closed":true[^]*[Nn]o changes/);
  });

  await one('what became of the plan, after the merge', async () => {
    ends(await comment(), 0);
    const push = { GITHUB_REF: 'refs/heads/main' };
    const place = path.join(work, 'push-event');
    fs.writeFileSync(place, '{}');
    github.merged = true;
    const ran = await run(github, ['comment', 'plan.json', '--outcome', 'report.json'], { ...push, GITHUB_EVENT_PATH: place });
    ends(ran, 0);
    assert.ok(github.comments[0].body.split('\n')[0].includes(`"head":"${HEAD}"`), 'what was approved');
    assert.equal(github.comments.length, 1);
    assert.match(github.comments[0].body, /"closed":true[^]*arcflux apply/);
    assert.equal(github.checks.length, 1);
  });
}

// `apply --reviewed`: refused, with what differs, until it is what was reviewed.
async function reviewed(github) {
  const sim = (state) => ['--cloud', 'sim', '-f', path.resolve(spec), '--sim-pace', '1000000', '--sim-state', path.join(work, state)];
  const apply = (state, variables) => run(github, ['apply', ...sim(state), '--reviewed'], variables);
  const approval = { login: 'bob', state: 'APPROVED', commit_id: HEAD, submitted_at: '2026-11-24T10:00:00Z' };
  const scenario = (name, prepare, judge) => check(name, github, async () => {
    ends(await run(github, ['comment', 'plan.json']), 0);
    Object.assign(github, { reviews: [{ ...approval }], writers: ['bob'] });
    await prepare();
    await judge();
  });
  let states = 0;
  const refused = (code, words) => async () => {
    const state = `refused-${++states}.json`;
    const ran = ends(await apply(state), 3);
    const said = ran.err.replace(/\s+/g, ' ');
    assert.match(said, /the plan was not reviewed as it is on pull request 7; nothing was written/);
    assert.ok(said.includes(`- ${code}: `) && words.test(said), said);
  };
  const check_of = (edit) => () => edit(github.checks[0]);

  await scenario('nobody has approved', () => { github.reviews = []; }, refused('not_approved', /nobody but the author has approved/));
  await scenario('the author approves', () => { github.reviews[0].login = 'ann'; github.writers.push('ann'); }, refused('not_approved', /ann cannot approve their own/));
  await scenario('somebody approves who may only read', () => { github.writers = []; }, refused('not_approved', /bob may not write/));
  await scenario('an older commit was approved', () => { github.reviews[0].commit_id = 'd'.repeat(40); }, refused('not_approved', /bob approved dddddddddddd/));
  await scenario('the comment was edited after the approval', () => { github.comments[0].updated_at = '2026-11-24T11:00:00Z'; }, refused('not_approved', /edited at 2026-11-24T11:00:00Z/));
  await scenario('somebody who pushed to it approves', () => { github.commits = [{ sha: 'd'.repeat(40), people: ['Bob', 'web-flow'] }, { sha: HEAD, people: ['ann', 'ann'] }]; }, refused('not_approved', /bob wrote or committed a part of it/));
  await scenario('GitHub does not know whose the head is', () => { github.commits = [{ sha: 'd'.repeat(40), people: ['ann', 'ann'] }]; }, refused('contributors_unknown', /whose the commits of #7 are/));
  await scenario('a program approves', () => { github.reviews[0].type = 'Bot'; }, refused('not_approved', /bob is a program/));
  await scenario('the text was replaced under its first line before the approval', () => {
    const [comment] = github.comments;
    comment.body = `${comment.body.split('\n')[0]}\n## arcflux plan: 0 to add, 1 to change, 0 to destroy\n`;
  }, refused('comment_edited', /its text is not what was posted with the check run/));
  await scenario('the text was edited, and a newer comment of the same bot hides it', () => {
    const [comment] = github.comments;
    const { body } = comment;
    comment.body = body.replace('to add', 'to ignore');
    github.write(github.login, body);
  }, refused('several_comments', /has 2 comments of github-actions\[bot\]/));
  await scenario('the text was replaced by one that was posted for nothing', () => { github.comments[0].body += '\nThat is fine, said security.'; }, refused('comment_edited', /edited, last at/));
  await scenario('the check does not tell the text', check_of((one) => { one.output.summary = 'Digest'; }), refused('comment_edited', /tells the text/));
  await scenario('the check failed', check_of((one) => { one.conclusion = 'failure'; }), refused('check_failed', /came to `failure`/));
  await scenario('it goes into another branch', () => { github.into = 'sandbox'; }, refused('other_branch', /goes into `sandbox`, and the default branch is `master`/));
  await scenario('somebody requests changes', () => { github.reviews.push({ ...approval, login: 'carl', state: 'CHANGES_REQUESTED' }); github.writers.push('carl'); }, refused('changes_requested', /carl/));
  await scenario('the check has another digest', check_of((one) => { one.external_id = `sha256:${'0'.repeat(64)}`; }), refused('digest_differs', /sha256:0000/));
  await scenario('the check is on another commit', check_of((one) => { one.head_sha = 'd'.repeat(40); }), refused('no_check', /has no check run/));
  await scenario('the head has moved', () => { github.head = 'd'.repeat(40); }, refused('head_moved', /the head of #7 is dddddddddddd now/));
  await scenario('the base has changed the same file', () => { github.moved = ['arcflux.yaml']; }, refused('base_moved', /arcflux.yaml/));
  await scenario('the comment is gone', () => { github.comments = []; }, refused('no_comment', /has no comment/));
  await scenario('the live state has moved since', async () => {}, async () => {
    const state = `moved.json`;
    ends(await run(github, ['apply', ...sim(state), '--only', 'provider/*', '--auto-approve']), 0);
    assert.match(ends(await apply(state), 3).err, /digest_differs/);
  });
  await scenario('the forge cannot be asked', () => github.fail(/reviews$/, 403, 'Resource not accessible by integration'), async () => {
    const said = ends(await apply('denied.json'), 3).err.replace(/\s+/g, ' ');
    assert.match(said, /it cannot be known whether the plan was reviewed.*checks: read/);
  });
  await scenario('reviewed: it is applied, and what would write nothing needs no review', () => { github.moved = ['docs/a.md']; }, async () => {
    const ran = ends(await apply('reviewed.json'), 0);
    assert.match(ran.err, /Reviewed on pull request 7: sha256:/);
    assert.match(ran.out, /Apply complete! Resources: 3 added/);
    github.reviews = [];
    ends(await apply('reviewed.json'), 0);
  });
  await scenario('reviewed: another run of the plan takes no approval away', () => run(github, ['comment', 'plan.json'], { GITHUB_RUN_ID: '100' }), async () => {
    ends(await apply('again.json'), 0);
  });
  await scenario('merged: the pull request that brought the commit, and what it was merged into', () => { github.merged = true; }, async () => {
    const place = path.join(work, 'push-event-reviewed');
    fs.writeFileSync(place, '{}');
    const push = { GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_PATH: place, GITHUB_SHA: 'e'.repeat(40) };
    github.into = 'main';
    const other = ends(await apply('merged.json', { ...push, GITHUB_SHA: 'c'.repeat(40), GITHUB_REF: 'refs/heads/release' }), 3);
    const said = other.err.replace(/\s+/g, ' ');
    assert.match(said, /other_commit: this job is about cccccccccccc, and #7 was merged as eeeeeeeeeeee/);
    assert.match(said, /other_branch: #7 goes into `main`, and this job is about `release`/);
    ends(await apply('merged.json', push), 0);
    assert.ok(github.compared.endsWith(`...${'f'.repeat(40)}`), github.compared);
  });
}

async function main() {
  const github = new GitHub('api.github.com.json', '', TOKEN);
  await github.listen();
  const sim = ['--cloud', 'sim', '-f', path.resolve(spec), '--sim-pace', '1000000'];
  const plain = { GITHUB_ACTIONS: undefined };
  const planned = ends(await run(github, ['plan', ...sim, '--out', 'plan.json'], plain), 0);
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(planned.out)[1];
  const applied = ['--sim-state', path.join(work, 'applied.json')];
  ends(await run(github, ['apply', ...sim, ...applied, '--auto-approve', '--report', 'report.json'], plain), 0);
  ends(await run(github, ['plan', ...sim, ...applied, '--out', 'idle.json'], plain), 0);
  ends(await run(github, ['plan', '--destroy', ...sim, ...applied, '--out', 'destroy.json'], plain), 0);

  await scenarios(github, digest);
  console.log('-- apply --reviewed');
  await reviewed(github);
  github.server.close();

  console.log('-- GitHub Enterprise Server');
  const server = new GitHub('ghes-3.19.json', '/api/v3', TOKEN);
  await server.listen();
  await check('a server of one\'s own, under a path', server, async () => {
    ends(await run(server, ['comment', 'plan.json']), 0);
    assert.deepEqual([ours(server).length, server.checks.length], [1, 1]);
    ends(await run(server, ['comment', 'plan.json'], { GITHUB_RUN_ID: '100' }), 0);
    assert.equal(ours(server).length, 1);
  });
  server.server.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
