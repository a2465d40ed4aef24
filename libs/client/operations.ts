import type { paths } from './schema.js';
import type { RequestOptions } from './outgoing-request.js';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The addresses that know a method, as the API documents them: `/jobs/{id}`. */
export type PathOf<M extends Method> = {
  [Path in keyof paths]: paths[Path][M] extends { responses: unknown } ? Path : never;
}[keyof paths];

type Json<Answer> = Answer extends { content: { 'application/json': infer Body } } ? Body : never;
type Answers<Operation> = Operation extends { responses: infer Responses } ? Responses[keyof Responses] : never;

/** `data` of a successful answer. */
export type DataOf<M extends Method, Path extends PathOf<M>> =
  Json<Answers<paths[Path][M]>> extends { data: infer Data } ? Data : undefined;

type InPath<Operation> = Operation extends { parameters: { path: infer Values extends object } } ? { path: Values } : object;

type InQuery<Operation> =
  Operation extends { parameters: { query: infer Values extends object } } ? { query: Values }
  : Operation extends { parameters: { query?: infer Values } } ? { query?: Values }
  : object;

type BodyOf<Content> =
  | (Content extends { 'application/json': infer Body } ? Body : never)
  | (Content extends { 'multipart/form-data': unknown } ? FormData : never)
  | (Content extends { 'text/csv': unknown } ? string : never);

type InBody<Operation> =
  Operation extends { requestBody: { content: infer Content } } ? { body: BodyOf<Content> }
  : Operation extends { requestBody?: { content: infer Content } } ? { body?: BodyOf<Content> }
  : object;

/** What a call takes: `path`, `query` and `body` where the operation has them. */
export type CallOptions<M extends Method, Path extends PathOf<M>> =
  Omit<RequestOptions, 'query' | 'body'> & InPath<paths[Path][M]> & InQuery<paths[Path][M]> & InBody<paths[Path][M]>;

/** The options may be left out where none of them is required. */
export type CallArguments<M extends Method, Path extends PathOf<M>> =
  object extends CallOptions<M, Path> ? [options?: CallOptions<M, Path>] : [options: CallOptions<M, Path>];

/** The items of a list. */
export type ItemOf<Path extends PathOf<'get'>> =
  DataOf<'get', Path> extends { items: Array<infer Item>; next_cursor: string | null } ? Item : never;

/** The lists that come in pages. */
export type ListPath = { [Path in PathOf<'get'>]: ItemOf<Path> extends never ? never : Path }[PathOf<'get'>];
