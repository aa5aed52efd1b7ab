// graphql-eslint's recommended and Relay rules for the schema and the operations, ESLint's own for the pages and the
// scripts, and every exception with its reason.
import graphql, { configs, parser } from "@graphql-eslint/eslint-plugin";
import js from "@eslint/js";
import globals from "globals";

const operations = "graph/operations/*.graphql";
const shared = {
  languageOptions: { parser, parserOptions: { graphQLConfig: { schema: "schema.graphql", documents: operations } } },
  plugins: { "@graphql-eslint": graphql },
};

// ESLint reads JSX but does not take <Page /> for a use of Page.
const jsx = {
  rules: {
    uses: {
      create: ({ sourceCode }) => ({
        JSXOpeningElement({ name }) {
          const root = name.type === "JSXMemberExpression" ? name.object : name;
          if (root.type === "JSXIdentifier") sourceCode.markVariableAsUsed(root.name, name);
        },
      }),
    },
  },
};
const scripts = {
  linterOptions: { reportUnusedDisableDirectives: "error" },
  plugins: { jsx },
  rules: {
    ...js.configs.recommended.rules,
    "jsx/uses": "error",
    // What is taken out of an object so that the rest is left.
    "no-unused-vars": ["error", { ignoreRestSiblings: true }],
  },
};

export default [
  {
    ...scripts,
    files: ["graph/pages/source/**/*.{js,jsx}"],
    languageOptions: { globals: globals.browser, parserOptions: { ecmaFeatures: { jsx: true } } },
  },
  { ...scripts, files: ["**/*.mjs"], languageOptions: { globals: globals.node } },
  {
    ...shared,
    files: ["schema.graphql"],
    rules: {
      ...configs["flat/schema-recommended"].rules,
      ...configs["flat/schema-relay"].rules,
      // Only nodes have ids: connections, edges, payloads, problems and values are parts of what has one.
      "@graphql-eslint/strict-id-in-types": "off",
      // Lists that are never longer than a page are answered whole, without pages.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      // RESO names the fields of a property.
      "@graphql-eslint/no-typename-prefix": "off",
      // The roots say nothing that their fields do not, and `@oneOf` is the specification's.
      "@graphql-eslint/require-description": [
        "error",
        {
          ...configs["flat/schema-recommended"].rules["@graphql-eslint/require-description"][1],
          ignoredSelectors: [
            "[type=ObjectTypeDefinition][name.value=/^(Query|Mutation|Subscription)$/]",
            "[type=DirectiveDefinition][name.value=oneOf]",
          ],
        },
      ],
    },
  },
  {
    // All of graphql-eslint's Relay rules are about schemas: operations have none of their own.
    ...shared,
    files: [operations],
    rules: {
      ...configs["flat/operations-recommended"].rules,
      // A connection is three levels: clients agreed on documents that show what a list's rows have in lists of theirs.
      "@graphql-eslint/selection-set-depth": ["error", { maxDepth: 8 }],
    },
  },
];
