// GitHub in memory: one repository with one pull request. A request that GitHub's OpenAPI description (or GraphQL schema)
// does not know, in path, parameters or body, is a violation; so is an answer of this server that it does not know.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const Ajv = require('ajv').default;
const formats = require('ajv-formats').default;
const { buildSchema, parse, validate } = require('graphql');

// Files of packages that do not export them all.
const read = (name, file) => fs.readFileSync(path.join(process.env.NODE_PATH, name, file), 'utf8');

// OpenAPI 3.0 lets `nullable` stand without a type; JSON Schema says it with another word.
function say_null(schema) {
  if (!schema || typeof schema !== 'object') return;
  Object.values(schema).forEach(say_null);
  if (schema.nullable === true && !schema.type) {
    const { nullable, ...rest } = schema;
    Object.keys(schema).forEach((key) => delete schema[key]);
    schema.anyOf = [rest, { type: 'null' }];
  }
}

// The description `file`, and whatever it says of a request or an answer.
class Description {
  constructor(file) {
    this.document = JSON.parse(read('@octokit/openapi', `generated/${file}`));
    say_null(this.document);
    this.ajv = new Ajv({ strict: false, coerceTypes: 'array', validateFormats: true });
    formats(this.ajv);
    this.ajv.addSchema(this.document, 'github');
    this.compiled = new Map();
    this.templates = Object.keys(this.document.paths).map((template) => {
      const names = [];
      const pattern = template.replace(/\{(\w+)\}/g, (_, name) => { names.push(name); return '([^/]+)'; });
      return { template, names, pattern: new RegExp(`^${pattern}$`) };
    });
  }

  resolve(value) {
    if (!value || !value.$ref) return value;
    return value.$ref.slice(2).split('/').reduce((at, key) => at[key.replace(/~1/g, '/').replace(/~0/g, '~')], this.document);
  }

  // What is wrong with `value` by the schema at a place of the document.
  check(pointer, value) {
    const key = pointer.map((part) => encodeURIComponent(String(part).replace(/~/g, '~0').replace(/\//g, '~1'))).join('/');
    if (!this.compiled.has(key)) this.compiled.set(key, this.ajv.compile({ $ref: `github#/${key}` }));
    const check = this.compiled.get(key);
    return check(value) ? [] : check.errors.map((error) => `${error.instancePath} ${error.message}`);
  }

  find(method, pathname) {
    for (const { template, names, pattern } of this.templates) {
      const found = pattern.exec(pathname);
      const operation = found && this.document.paths[template][method.toLowerCase()];
      if (operation) {
        return { template, operation, values: Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1])])) };
      }
    }
    return null;
  }

  request(method, url, body) {
    const found = this.find(method, url.pathname);
    if (!found) return { wrong: [`no operation ${method} ${url.pathname}`] };
    const { template, operation, values } = found;
    const wrong = [];
    const parameters = (operation.parameters ?? []).map((parameter) => this.resolve(parameter));
    const query = Object.fromEntries(url.searchParams);
    for (const parameter of parameters) {
      const given = parameter.in === 'path' ? values[parameter.name] : query[parameter.name];
      if (parameter.required && given === undefined && parameter.in !== 'header') wrong.push(`${parameter.name} is missing`);
      if (given === undefined) continue;
      const check = this.ajv.compile({ type: 'object', properties: { value: parameter.schema } });
      if (!check({ value: given })) wrong.push(`${parameter.name}: ${this.ajv.errorsText(check.errors)}`);
      if (parameter.name === 'per_page' && Number(given) > 100) wrong.push('per_page is more than 100');
    }
    for (const name of Object.keys(query)) {
      if (!parameters.some((parameter) => parameter.in === 'query' && parameter.name === name)) wrong.push(`unknown parameter ${name}`);
    }
    const content = operation.requestBody?.content?.['application/json'];
    if (body !== undefined && !content) wrong.push('a body where none is taken');
    if (content) {
      if (body === undefined) wrong.push('no body');
      const pointer = ['paths', template, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'];
      wrong.push(...this.check(pointer, body));
      const known = this.resolve(content.schema).properties ?? {};
      for (const key of Object.keys(body ?? {})) if (!(key in known)) wrong.push(`unknown key ${key}`);
    }
    return { wrong, template, method: method.toLowerCase(), values, query };
  }

  // What is wrong with an answer. Only those that the description has a schema for.
  response({ template, method }, status, body) {
    const answer = this.resolve(this.document.paths[template][method].responses[String(status)]);
    if (!answer) return [`${status} is not an answer of ${method} ${template}`];
    const schema = answer.content?.['application/json']?.schema;
    if (!schema) return [];
    const check = this.ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"github#/')));
    return check(body) ? [] : check.errors.map((error) => `answer ${error.instancePath} ${error.message}`);
  }

  example(name) {
    return structuredClone(this.document.components.examples[name].value);
  }
}

// The published file defines two fields twice.
const graphql = buildSchema(read('@octokit/graphql-schema', 'schema.graphql'), { assumeValid: true, assumeValidSDL: true });

class GitHub {
  // `base` is the path of the API: empty, or /api/v3.
  constructor(file, base, token) {
    Object.assign(this, { base, token, login: 'github-actions[bot]', description: new Description(file) });
    this.reset();
    this.server = http.createServer((request, response) => this.take(request, response));
  }

  reset() {
    Object.assign(this, { reviews: [], writers: [], commits: undefined, moved: [], into: 'master', merged: false, comments: [], checks: [], statuses: [], asked: [], violations: [], faults: [], newest: 1000, head: 'a'.repeat(40) });
  }

  listen() {
    return new Promise((done) => this.server.listen(0, '127.0.0.1', () => {
      this.url = `http://127.0.0.1:${this.server.address().port}`;
      done();
    }));
  }

  write(login, body) {
    const comment = this.description.example('issue-comment');
    Object.assign(comment, { id: ++this.newest, body, updated_at: '2026-11-24T09:00:00Z' });
    comment.user.login = login;
    this.comments.push(comment);
    return comment;
  }

  // The next request that fits is answered so, and carried out before where `done` says so.
  fail(fits, status, message, headers = {}, done = false) {
    this.faults.push({ fits, status, message, headers, done });
  }

  count(line) {
    return this.asked.filter((asked) => asked.startsWith(line)).length;
  }

  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url, this.url);
    const line = `${request.method} ${url.pathname}`;
    this.asked.push(line);
    const answer = await this.answer(request, url, text === '' ? undefined : text);
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }

  async answer(request, url, text) {
    const wrong = (...what) => {
      this.violations.push(...what.map((one) => `${request.method} ${url.pathname}: ${one}`));
      return { status: 422, body: { message: what.join('; ') } };
    };
    const { headers, method } = request;
    if (headers.authorization !== `Bearer ${this.token}`) return { status: 401, body: { message: 'Bad credentials' } };
    if (!headers['user-agent'] || headers['x-github-api-version'] !== '2022-11-28' || headers.accept !== 'application/vnd.github+json') {
      return wrong(`headers: ${JSON.stringify(headers)}`);
    }
    if (text !== undefined && headers['content-type'] !== 'application/json') return wrong('content-type');
    let body;
    try { body = text === undefined ? undefined : JSON.parse(text); } catch { return wrong('the body is not JSON'); }

    if (url.pathname === `${this.base.replace(/\/v3$/, '')}/graphql`) {
      const errors = validate(graphql, parse(body.query));
      if (method !== 'POST' || errors.length > 0) return wrong(...errors.map(String));
      return this.fault(`${method} graphql`) ?? { status: 200, body: { data: { viewer: { login: this.login } } } };
    }
    if (!url.pathname.startsWith(`${this.base}/repos/contoso/gitops/`)) return wrong('another repository');
    const inner = new URL(url.href);
    inner.pathname = url.pathname.slice(this.base.length);
    const call = this.description.request(method, inner, body);
    if (call.wrong.length > 0) return wrong(...call.wrong);

    const name = `${method} ${call.template}`;
    const gate = this.gate;
    if (gate && gate.fits(name)) await gate.pass();
    const fault = this.faults.find((one) => one.fits.test(name));
    if (fault && !fault.done) return this.fault(name);
    const made = this.perform(call, body, inner);
    const errors = made.status < 300 ? this.description.response(call, made.status, made.body) : [];
    if (errors.length > 0) return wrong(...errors.slice(0, 5));
    return this.fault(name) ?? made;
  }

  fault(name) {
    const at = this.faults.findIndex((one) => one.fits.test(name));
    if (at < 0) return undefined;
    const [{ status, message, headers }] = this.faults.splice(at, 1);
    return { status, headers: typeof headers === 'function' ? headers() : headers, body: { message, documentation_url: 'https://docs.github.com/rest' } };
  }

  perform(call, body, url) {
    const number = Number(call.values.issue_number ?? call.values.pull_number ?? 7);
    const missing = { status: 404, body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' } };
    if (number !== 7) return missing;
    switch (`${call.method} ${call.template}`) {
      case 'get /repos/{owner}/{repo}/issues/{issue_number}/comments': {
        const [page, size] = [Number(call.query.page ?? 1), Number(call.query.per_page ?? 30)];
        const last = Math.max(1, Math.ceil(this.comments.length / size));
        const link = (to, rel) => {
          const address = new URL(url.href);
          address.pathname = `${this.base}${url.pathname}`;
          address.searchParams.set('page', to);
          return `<${address.href}>; rel="${rel}"`;
        };
        const headers = page < last ? { link: [link(page + 1, 'next'), link(last, 'last')].join(', ') } : {};
        return { status: 200, headers, body: this.comments.slice((page - 1) * size, page * size) };
      }
      case 'post /repos/{owner}/{repo}/issues/{issue_number}/comments':
        if ([...body.body].length > 65536) return { status: 422, body: { message: 'Validation Failed' } };
        return { status: 201, body: this.write(this.login, body.body) };
      case 'patch /repos/{owner}/{repo}/issues/comments/{comment_id}': {
        const comment = this.comments.find((one) => one.id === Number(call.values.comment_id));
        if (!comment) return missing;
        if (comment.user.login !== this.login) this.violations.push(`wrote into a comment of ${comment.user.login}`);
        comment.body = body.body;
        comment.updated_at = '2026-11-24T12:00:00Z';
        return { status: 200, body: comment };
      }
      case 'post /repos/{owner}/{repo}/check-runs': {
        const check = this.description.example('check-run-example-of-completed-conclusion');
        this.checks.push(body);
        return { status: 201, body: { ...check, name: body.name, head_sha: body.head_sha, conclusion: body.conclusion } };
      }
      case 'post /repos/{owner}/{repo}/statuses/{sha}':
        this.statuses.push(body);
        return { status: 201, body: this.description.example('status') };
      case 'get /repos/{owner}/{repo}/pulls/{pull_number}': {
        const pull = this.description.example('pull-request');
        pull.number = number;
        pull.head.sha = this.head;
        pull.user.login = 'ann';
        pull.base.ref = this.into;
        if (this.merged) Object.assign(pull, { state: 'closed', merged: true, merge_commit_sha: 'e'.repeat(40) });
        // The example has teams that are none by the description.
        pull.requested_teams = [];
        return { status: 200, body: pull };
      }
      case 'get /repos/{owner}/{repo}/commits/{commit_sha}/pulls': {
        const [pull] = this.description.example('pull-request-simple-items');
        // The commit may be in others, too, that were merged elsewhere.
        return { status: 200, body: [{ ...pull, number: 5, requested_teams: [] }, { ...pull, number: 7, merge_commit_sha: call.values.commit_sha, requested_teams: [] }] };
      }
      case 'get /repos/{owner}/{repo}/pulls/{pull_number}/commits': {
        const [commit] = this.description.example('commit-items');
        const of = ({ sha, people: [author, committer] }) => ({ ...commit, sha, author: { ...commit.author, login: author }, committer: { ...commit.committer, login: committer } });
        return { status: 200, body: (this.commits ?? [{ sha: this.head, people: ['ann', 'web-flow'] }]).map(of) };
      }
      case 'get /repos/{owner}/{repo}/commits/{ref}/check-runs': {
        const { check_runs: [run] } = this.description.example('check-run-paginated');
        const made = this.checks.filter((one) => one.name === call.query.check_name && one.head_sha === call.values.ref);
        const runs = made.slice(-1).map(({ name, head_sha, status, conclusion, external_id, output }) => ({
          ...run, name, head_sha, status, conclusion, external_id, output: { ...run.output, ...output }, app: { ...run.app, slug: 'github-actions' },
        }));
        return { status: 200, body: { total_count: runs.length, check_runs: runs } };
      }
      case 'get /repos/{owner}/{repo}/pulls/{pull_number}/reviews': {
        const [review] = this.description.example('pull-request-review-items');
        return { status: 200, body: this.reviews.map((one) => ({ ...review, ...one, user: { ...review.user, login: one.login, type: one.type ?? 'User' } })) };
      }
      case 'get /repos/{owner}/{repo}/collaborators/{username}/permission': {
        const permission = this.description.example('repository-collaborator-permission-response-if-user-has-admin-permissions');
        // The example lacks what its schema requires.
        permission.user.role_name = permission.role_name;
        return { status: 200, body: { ...permission, permission: this.writers.includes(call.values.username) ? 'write' : 'read' } };
      }
      case 'get /repos/{owner}/{repo}/commits/{ref}': {
        const commit = this.description.example('commit');
        // The files of the example lack what their schema requires.
        commit.files = [];
        commit.parents = [{ ...commit.parents[0], sha: 'f'.repeat(40) }];
        return { status: 200, body: commit };
      }
      case 'get /repos/{owner}/{repo}/compare/{basehead}': {
        const comparison = this.description.example('commit-comparison');
        const [file] = comparison.files;
        this.compared = call.values.basehead;
        const files = this.moved.map((filename) => ({ ...file, filename }));
        return { status: 200, body: { ...comparison, status: files.length > 0 ? 'ahead' : 'identical', files } };
      }
      case 'get /repos/{owner}/{repo}/pulls/{pull_number}/files': {
        const [file] = this.description.example('diff-entry-items');
        return { status: 200, body: [{ ...file, filename: 'arcflux.yaml' }] };
      }
      default:
        this.violations.push(`nobody expects ${call.method} ${call.template}`);
        return missing;
    }
  }
}

module.exports = { GitHub };
