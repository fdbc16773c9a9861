import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { Kind, parse } from 'graphql';
import { createClient } from 'graphql-ws';

const config = JSON.parse(document.getElementById('config').textContent);
const endpoint = new URL(location.pathname, location.origin);
const socket = new URL(endpoint);
socket.protocol = socket.protocol.replace('http', 'ws');

let current = config.token ?? '';

/** What the token box holds. */
export const token = {
  get: () => current,
  set: (value) => {
    current = value.trim();
  },
};

const authorization = () => (current ? { Authorization: `Bearer ${current}` } : {});

// A socket is opened for a subscription and closed with the last one, so each start takes the token of then.
const wsClient = createClient({ url: socket.href, connectionParams: authorization, shouldRetry: () => true });
const send = createGraphiQLFetcher({ url: endpoint.href, wsClient, enableIncrementalDelivery: false });

/** Document and operation as they stand in the editor: what GraphiQL knows lags behind a change of tab by a moment. */
function read({ query, operationName }) {
  try {
    const documentAST = parse(query);
    const operations = documentAST.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    return { documentAST, operationName: operations.length === 1 ? operations[0].name?.value : operationName };
  } catch {
    return { operationName }; // the server says what is wrong with it
  }
}

/** Queries over HTTP, subscriptions over graphql-transport-ws; a header typed in the editor beats the token box. */
export const fetcher = (operation, options) => {
  const { documentAST = options?.documentAST, operationName } = read(operation);
  const headers = { ...authorization(), ...options?.headers };
  return send({ ...operation, operationName }, { ...options, documentAST, headers });
};
