import { createGraphiQLFetcher } from '@graphiql/toolkit';
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
const wsClient = createClient({ url: socket.href, connectionParams: authorization });
const send = createGraphiQLFetcher({ url: endpoint.href, wsClient, enableIncrementalDelivery: false });

/** Queries over HTTP, subscriptions over graphql-transport-ws; a header typed in the editor beats the token box. */
export const fetcher = (operation, options) =>
  send(operation, { ...options, headers: { ...authorization(), ...options?.headers } });
