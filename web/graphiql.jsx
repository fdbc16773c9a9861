import './workers.js';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { GraphiQL } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/react/style.css';
import 'graphiql/graphiql.css';
import './graphiql.css';

import { examples } from './examples.js';
import { fetcher, token } from './fetcher.js';

const plugins = [explorerPlugin(), HISTORY_PLUGIN];

function TokenBox() {
  const [value, setValue] = useState(token.get());
  const change = (event) => {
    setValue(event.target.value);
    token.set(event.target.value);
  };
  return (
    <label className="token">
      Bearer token
      <input
        type="text"
        value={value}
        onChange={change}
        placeholder="none: signed out. `picture token NAME` prints one."
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  );
}

function Page() {
  return (
    <>
      <header>
        <strong>Picture</strong>
        <TokenBox />
      </header>
      <main>
        <GraphiQL fetcher={fetcher} defaultTabs={examples} plugins={plugins} shouldPersistHeaders={false}>
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

createRoot(document.getElementById('graphiql')).render(<Page />);
