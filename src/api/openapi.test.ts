// The OpenAPI document: well-formed by the rules of 3.1, complete, and true of what is served.
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../../test/conformance/shapes.ts';
import { type ApiServer, OWNER, startApi } from '../../test/support/api-server.ts';
import { resources, views } from '../resources/index.ts';
import { ACTIONS } from './openapi-actions.ts';

type Json = { readonly [name: string]: unknown };

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Json;
  }[];
  readonly requestBody?: { readonly content: { readonly [type: string]: { readonly schema: Json } } };
  readonly responses: {
    readonly [status: string]: {
      readonly description: string;
      readonly content?: { readonly [type: string]: { readonly schema: Json } };
    };
  };
  readonly security?: readonly unknown[];
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: {
    readonly schemas: { readonly [name: string]: Json & { required?: string[]; properties: Json } };
  };
}

async function read({ url }: ApiServer): Promise<Document> {
  const response = await fetch(`${url}/openapi.json`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('json'),
  ]);
  return (await response.json()) as Document;
}

const operationsOf = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

/** Every schema of the document, with where it stands. */
function schemasOf(document: Document): readonly (readonly [string, Json])[] {
  return [
    ...Object.entries(document.components.schemas),
    ...operationsOf(document).flatMap(({ operation }) => [
      ...(operation.parameters ?? []).map(
        ({ name, schema }) => [`${operation.operationId} ${name}`, schema] as const,
      ),
      ...Object.values(operation.requestBody?.content ?? {}).map(
        ({ schema }) => [operation.operationId, schema] as const,
      ),
      ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
        Object.values(content).map(({ schema }) => [`${operation.operationId} ${status}`, schema] as const),
      ),
    ]),
  ];
}

/** With the components where `$ref` finds them. */
function faultsOf({ components }: Document, schema: Json, value: unknown): readonly unknown[] {
  const validator = new Ajv2020({ strict: false, validateFormats: false });
  const isValid = validator.validate({ ...schema, components }, value);
  return isValid ? [] : (validator.errors ?? []);
}

describe('the document', () => {
  it('is OpenAPI 3.1 by the specification’s own schema', async () => {
    const document = (await read(await startApi())) as unknown as Json;
    const validator = new Validator();
    expect(await validator.validate(document)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(await new Validator().validate({ ...document, paths: { x: {} } })).toMatchObject({ valid: false });
  });

  it('is OpenAPI 3.1 in its structure', async () => {
    const document = await read(await startApi());
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Tandem', version: expect.any(String) },
    });
    const ids = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    for (const { path, method, operation } of operationsOf(document)) {
      expect(path).toMatch(/^\//);
      expect(['get', 'post', 'delete']).toContain(method);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([path, inPath.map(({ name }) => name)]).toEqual([path, named]);
      expect(inPath.every(({ required }) => required)).toBe(true);
      const parameters = (operation.parameters ?? []).map((parameter) => `${parameter.in} ${parameter.name}`);
      expect(new Set(parameters).size).toBe(parameters.length);
      expect(Object.keys(operation.responses).filter((status) => !/^(\d{3}|default)$/.test(status))).toEqual(
        [],
      );
      expect(Object.values(operation.responses).every(({ description }) => description !== '')).toBe(true);
      expect(method === 'post').toBe(
        operation.requestBody !== undefined ||
          /^(createLoadShare|replayWebhook)$/.test(operation.operationId),
      );
    }
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  it('has schemas that are JSON Schema 2020-12, and references that lead somewhere', async () => {
    const document = await read(await startApi());
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name);
    }
    expect(text).not.toContain('"nullable"');
    const types = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'null'];
    for (const [place, schema] of schemasOf(document)) {
      JSON.stringify(schema, (key, value: unknown) => {
        if (key === 'type' && typeof value === 'string')
          expect([place, types]).toEqual([place, expect.arrayContaining([value])]);
        if (key === 'pattern') expect(() => new RegExp(String(value), 'u')).not.toThrow();
        if (key === 'enum') expect([place, Array.isArray(value) && value.length > 0]).toEqual([place, true]);
        return value;
      });
    }
  });

  it('describes every route that is served, and none that is not', async () => {
    const server = await startApi();
    const document = await read(server);
    expect(
      operationsOf(document)
        .map(({ operation }) => operation.operationId)
        .filter((id) => id.includes('_')),
    ).toEqual([]);
    const described = new Set(operationsOf(document).map(({ operation }) => operation.operationId));
    expect(Object.values(ACTIONS).filter(({ id }) => !described.has(id))).toEqual([]);
    for (const [path, item] of Object.entries(document.paths)) {
      if (!/^\/(v1|2010-04-01|tandem)/.test(path)) continue;
      const filled = path.replace('{AccountSid}', OWNER.sid).replaceAll(/\{\w+\}/g, `XX${'0'.repeat(32)}`);
      const refused = await server.ask(filled, { method: 'PUT' });
      expect([path, refused.status]).toEqual([path, 405]);
      const allowed = refused.headers.get('allow')?.toLowerCase().split(', ').toSorted();
      expect([path, allowed]).toEqual([path, Object.keys(item).toSorted()]);
    }
  });
});

describe('what it says', () => {
  it('of each resource is what Twilio’s has', async () => {
    const { components } = await read(await startApi());
    const known = [...resources, ...views].filter(({ name }) => name in SHAPES);
    expect(known.length).toBeGreaterThan(20);
    for (const { name } of known) {
      const required = components.schemas[name]?.required?.toSorted();
      expect([name, required]).toEqual([name, SHAPES[name]?.properties.toSorted()]);
    }
  });

  it('is true of answers', async () => {
    const server = await startApi();
    const document = await read(server);
    const check = async (
      method: string,
      template: string,
      given: { sids?: readonly string[]; form?: Record<string, string> } = {},
    ) => {
      let path = template.replace('{AccountSid}', OWNER.sid);
      for (const sid of given.sids ?? []) path = path.replace(/\{\w+\}/, sid);
      const response = await server.ask(path, {
        method,
        ...(given.form && { body: new URLSearchParams(given.form) }),
      });
      const said = document.paths[template]?.[method.toLowerCase()]?.responses ?? {};
      const answer = said[response.status] ?? said.default;
      const body = (await response.json()) as Json;
      const schema = answer?.content?.['application/json']?.schema ?? {};
      expect([template, faultsOf(document, schema, body)]).toEqual([template, []]);
      expect(faultsOf(document, schema, { ...body, code: 'x', sid: 1, meta: 1, page: 'x' })).not.toEqual([]);
      return { status: response.status, sid: String(body.sid) };
    };
    const accounts = '/2010-04-01/Accounts/{AccountSid}';
    const policy = await check('POST', '/v1/ConnectionPolicies', { form: { FriendlyName: 'x' } });
    const sids = [policy.sid];
    await check('POST', '/v1/ConnectionPolicies/{ParentSid}/Targets', {
      sids,
      form: { Target: 'sip:a.example' },
    });
    const trunk = await check('POST', '/v1/Trunks');
    await check('POST', '/v1/Trunks/{ParentSid}/OriginationUrls', {
      sids: [trunk.sid],
      form: { FriendlyName: 'x', SipUrl: 'sip:b.example', Priority: '1', Weight: '1', Enabled: 'true' },
    });
    await check('GET', '/tandem/v1/TargetHealth');
    await check('POST', '/v1/ByocTrunks', { form: { VoiceUrl: 'https://u:p@a.example/' } });
    const call = await check('POST', `${accounts}/Calls.json`, {
      form: { To: 'sip:a.example', From: 'a', Twiml: '<Response/>' },
    });
    expect([policy.status, call.status]).toEqual([201, 201]);
    for (const template of [
      '/v1/ConnectionPolicies',
      '/v1/ByocTrunks',
      '/v1/Trunks',
      '/2010-04-01/Accounts.json',
      `${accounts}/Calls.json`,
      `${accounts}/Applications.json`,
    ]) {
      expect((await check('GET', template)).status).toBe(200);
    }
    await check('GET', '/v1/ConnectionPolicies/{Sid}', { sids });
    await check('GET', '/v1/ConnectionPolicies/{ParentSid}/Targets', { sids });
    await check('GET', '/2010-04-01/Accounts/{Sid}.json', { sids: [OWNER.sid] });
    expect((await check('GET', '/v1/ByocTrunks/{Sid}', { sids: ['x'] })).status).toBe(404);
    expect((await check('POST', '/v1/ByocTrunks', { form: { VoiceUrl: 'x' } })).status).toBe(400);
  });

  it('of required parameters is what is demanded', async () => {
    const server = await startApi();
    const document = await read(server);
    const policy = await server.client.voice.v1.connectionPolicies.create();
    for (const { path, method, operation } of operationsOf(document)) {
      const schema = operation.requestBody?.content['application/x-www-form-urlencoded']?.schema as
        | { required?: string[] }
        | undefined;
      if (method !== 'post' || !operation.operationId.startsWith('create') || !schema) continue;
      const filled = path.replace('{AccountSid}', OWNER.sid).replace('{ParentSid}', policy.sid);
      const response = await server.ask(filled, { method: 'POST', body: new URLSearchParams() });
      if (response.status === 404) continue;
      const { message = '' } = (await response.json()) as { message?: string };
      const missing = /Missing required parameter (\w+)/.exec(message)?.[1];
      if (schema.required)
        expect([path, response.status, schema.required]).toEqual([
          path,
          400,
          expect.arrayContaining([missing]),
        ]);
      else expect([path, missing]).toEqual([path, undefined]);
    }
  });
});
