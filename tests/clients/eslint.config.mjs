// graphql-eslint's recommended and Relay rules for the schema and the operations, and every exception with its reason.
import graphql, { configs, parser } from "@graphql-eslint/eslint-plugin";

const operations = "graph/operations/*.graphql";
const shared = {
  languageOptions: { parser, parserOptions: { graphQLConfig: { schema: "schema.graphql", documents: operations } } },
  plugins: { "@graphql-eslint": graphql },
};

export default [
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
