// Runs the GraphQL-over-HTTP audit of the npm package graphql-http: node audit.mjs <folder with node_modules> <url>
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , folder, url] = process.argv;
const { serverAudits } = createRequire(join(folder, 'package.json'))('graphql-http');
const results = [];
for (const { id, name, fn } of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await fn();
  results.push({ id, name, status, reason });
}
console.log(JSON.stringify(results));
