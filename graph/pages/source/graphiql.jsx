// The page at /graphiql: a sign-in form, then GraphiQL as the person who signed in.
import "./workers.js";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL } from "graphiql";
import { useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import operations from "velocity:operations";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./graphiql.css";
import { examplesPlugin } from "./examples.jsx";
import { ROLES } from "./roles.js";
import { current, send, signOut, subscribe } from "./session.js";
import { SignIn } from "./sign-in.jsx";

const PLUGINS = [examplesPlugin, explorerPlugin()];
const FIRST_TABS = [{ query: operations.Viewer }];
const TOLD = { cost: true, execution: true };
let telling = false;
// One function for the life of the page: GraphiQL asks for the schema again whenever it is given another.
const fetcher = (request, { headers } = {}) => send(telling ? { ...request, extensions: TOLD } : request, headers);

function Account({ viewer }) {
  return (
    <div className="account">
      <span>
        {viewer.fullName} · {ROLES[viewer.role] ?? viewer.role} · {viewer.tenant.name}
      </span>
      <label title="Answer with what each request cost, and whether one statement answered it">
        <input
          type="checkbox"
          name="told"
          defaultChecked={telling}
          onChange={(event) => {
            telling = event.target.checked;
          }}
        />
        cost and execution
      </label>
      <button type="button" className="graphiql-button" onClick={signOut}>
        Sign out
      </button>
    </div>
  );
}

function Page() {
  const session = useSyncExternalStore(subscribe, current);
  if (!session) return <SignIn purpose="Sign in to explore the graph as yourself." />;
  return (
    <GraphiQL
      // Somebody else who signs in sees another schema and starts afresh.
      key={session.viewer.id}
      fetcher={fetcher}
      plugins={PLUGINS}
      defaultTabs={FIRST_TABS}
      defaultEditorToolsVisibility="variables"
      schemaDescription
      inputValueDeprecation
    >
      <GraphiQL.Logo>
        <Account viewer={session.viewer} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

createRoot(document.getElementById("page")).render(<Page />);
