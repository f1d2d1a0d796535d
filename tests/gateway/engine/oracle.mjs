// Runs the reference composer and planner for the differential tests.
// node oracle.mjs MODULE_DIR compose|plan < input.json > output.json
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { readFileSync } from "node:fs";

const [moduleDir, task] = process.argv.slice(2);
const require = createRequire(pathToFileURL(resolve(moduleDir, "package.json")));
const input = JSON.parse(readFileSync(0, "utf8"));
const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ' +
  '["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject"])\n';

function compose({ subgraphs }) {
  const { composeServices } = require("@theguild/federation-composition");
  const { parse } = require("graphql");
  const services = Object.entries(subgraphs).map(([name, sdl]) => ({
    name,
    url: `http://${name}.invalid/graphql`,
    typeDefs: parse(LINK + sdl),
  }));
  const result = composeServices(services);
  return { supergraph: result.supergraphSdl, errors: (result.errors ?? []).map((e) => e.message) };
}

function plan({ supergraph, operations }) {
  const { QueryPlanner } = require("@graphql-hive/router-query-planner");
  const planner = new QueryPlanner(supergraph);
  return operations.map((text) => {
    try {
      return { plan: planner.plan(text, null, new Set(), 0, null) };
    } catch (error) {
      return { error: String(error.message ?? error) };
    }
  });
}

process.stdout.write(JSON.stringify(task === "compose" ? compose(input) : plan(input)));
