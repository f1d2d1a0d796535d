// The gateway's GraphiQL: one page, one host. Queries go by POST, subscriptions by graphql-transport-ws.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const url = new URL('/graphql', location.href);
const socket = new URL(url);
socket.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';

function fetcher(params, options) {
  const headers = options?.headers ?? {};
  const authorization = headers.authorization ?? headers.Authorization;
  const wsClient = createClient({
    url: socket.href,
    retryAttempts: 0,
    connectionParams: authorization ? { authorization } : {},
  });
  const accept = 'application/graphql-response+json, application/json;q=0.9';
  return createGraphiQLFetcher({ url: url.href, headers: { accept }, wsClient })(params, options);
}

const defaultQuery = `# Ctrl-Enter runs, Ctrl-Space completes.
# Signed in? Add under Headers:
# { "Authorization": "Bearer <token>" }

query Hello {
  __typename
}
`;

createRoot(document.getElementById('graphiql')).render(
  createElement(GraphiQL, { fetcher, defaultQuery, shouldPersistHeaders: false }),
);
