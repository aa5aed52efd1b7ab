import { graphql } from "relay-runtime";

export const query = graphql`
  query PeopleQuery($first: Int!, $after: String) {
    ...People_list @arguments(first: $first, after: $after)
  }
`;

export const list = graphql`
  fragment People_list on Query
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" })
  @refetchable(queryName: "PeoplePageQuery") {
    people(first: $first, after: $after) @connection(key: "People_people") {
      edges {
        node {
          id
          ...People_person
        }
      }
    }
  }
`;

export const person = graphql`
  fragment People_person on Person @refetchable(queryName: "PersonAgainQuery") {
    fullName
    nextBestAction {
      title
    }
  }
`;
