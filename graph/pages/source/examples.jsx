// A GraphiQL plugin: every operation that Velocity's clients send, ready to open in a tab of its own.
import { PlayIcon, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { parse } from "graphql";
import { useState } from "react";
import operations from "velocity:operations";
import { sampleVariables } from "./variables.js";

const EXAMPLES = Object.entries(operations).map(([name, text]) => {
  const definition = parse(text).definitions[0];
  return { name, text, definition, kind: definition.operation };
});
const HEADINGS = { query: "Queries", mutation: "Mutations", subscription: "Subscriptions" };

function Group({ kind, examples, ready, onOpen }) {
  if (examples.length === 0) return null;
  return (
    <section>
      <h3>{HEADINGS[kind]}</h3>
      <ul>
        {examples.map((example) => (
          <li key={example.name}>
            <button type="button" className="graphiql-un-styled" disabled={!ready} onClick={() => onOpen(example)}>
              {example.name}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Examples() {
  const [wanted, setWanted] = useState("");
  const { schema, isIntrospecting, queryEditor, variableEditor } = useGraphiQL(
    ({ schema, isIntrospecting, queryEditor, variableEditor }) => ({
      schema,
      isIntrospecting,
      queryEditor,
      variableEditor,
    }),
  );
  const { addTab } = useGraphiQLActions();
  // What is put into an editor that is still being made is lost, and drafts of variables need the schema.
  const ready = queryEditor && variableEditor && !isIntrospecting;

  function open({ text, definition }) {
    addTab();
    queryEditor.setValue(text);
    variableEditor.setValue(sampleVariables(definition, schema));
  }

  const shown = EXAMPLES.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <div className="examples">
      <h2>Examples</h2>
      <p>What Velocity&apos;s own clients send.</p>
      <input
        type="search"
        aria-label="Find an operation"
        placeholder="Find an operation"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
      />
      {Object.keys(HEADINGS).map((kind) => (
        <Group
          key={kind}
          kind={kind}
          examples={shown.filter((example) => example.kind === kind)}
          ready={ready}
          onOpen={open}
        />
      ))}
    </div>
  );
}

export const examplesPlugin = { title: "Examples", icon: PlayIcon, content: Examples };
