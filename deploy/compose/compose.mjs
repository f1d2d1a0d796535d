// Composes subgraphs into a supergraph: JSON {name: sdl} on standard input, the supergraph on standard output.
// Exit code 1 with one line for each problem when they do not fit together.
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { readFileSync } from 'node:fs';

const subgraphs = JSON.parse(readFileSync(0, 'utf8'));
const result = composeServices(
  Object.entries(subgraphs).map(([name, sdl]) => ({
    name,
    typeDefs: parse(sdl),
    url: `http://${name}/graphql`,
  })),
);
if (result.errors?.length) {
  for (const error of result.errors) console.error(error.message);
  process.exit(1);
}
process.stdout.write(`${result.supergraphSdl.trimEnd()}\n`);
